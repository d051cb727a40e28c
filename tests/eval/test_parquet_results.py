import json
import sys

import pytest
from random_detections import table
from result_formats import code_of, images, random_table

from googlenet_rcnn.cli.batch.parts import part_path, write_part
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.eval.jsonl import read_jsonl
from googlenet_rcnn.eval.parquet_results import read_parquet, write_parquet
from googlenet_rcnn.eval.results import read_results, recognise

DATA = images(["a", "b"])


def test_without_pyarrow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (
        lambda: write_parquet(table([]), DATA, tmp_path / "found.parquet"),
        lambda: read_parquet(tmp_path / "found.parquet", DATA),
    ):
        with pytest.raises(UsageError, match=r"EXTRA_MISSING.*googlenet-rcnn\[tables\].*csv"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_pyarrow_reads_what_is_written(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `tables` is not installed")
    found = random_table(9, 30, DATA)
    write_parquet(found, DATA, tmp_path / "found.parquet")
    columns = parquet.read_table(tmp_path / "found.parquet").to_pydict()
    assert list(columns) == ["image_id", "label", "score", "x1", "y1", "x2", "y2"]
    assert columns["image_id"] == ["ab"[index] for index in found.image_index]
    assert columns["label"] == [DATA.labels.names[label] for label in found.label]
    assert columns["score"] == found.score.tolist()
    assert [columns[name] for name in ("x1", "y1", "x2", "y2")] == found.boxes.T.tolist()


def test_a_torn_or_other_table_is_refused(tmp_path):  # FAULTS 84
    arrow = pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "found.parquet"
    write_parquet(random_table(9, 30, DATA), DATA, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert code_of(lambda: read_parquet(path, DATA), "write it again") == "DET_PARSE"
    columns = {"image_id": ["a"], "label": ["cat"], "score": [1.0], "x1": [0], "y1": [0], "x2": [1], "y2": [1]}
    for wrong, code in (
        ({"score": ["high"]}, "DET_PARSE"),
        ({"x1": [None]}, "DET_NOT_FINITE"),
        ({"score": [float("nan")]}, "DET_NOT_FINITE"),  # FAULTS 4
        ({"label": ["ship"]}, "CLASS_UNKNOWN"),  # FAULTS 37
        ({"image_id": [None]}, "IMAGE_UNKNOWN"),
    ):
        parquet.write_table(arrow.table(columns | wrong), path)
        assert code_of(lambda: read_parquet(path, DATA), "found.parquet") == code
    parquet.write_table(arrow.table({"image_id": ["a"]}), path)
    assert code_of(lambda: read_parquet(path, DATA), "found.parquet") == "DET_PARSE"
    assert code_of(lambda: read_parquet(tmp_path / "none.parquet", DATA), "none.parquet") == "DET_UNREADABLE"


def batch_row(image_id, *found, status="ok"):
    """What `detect` says of an image."""
    detections = [{"label": label, "score": score, "box": [0.5, 1.25, 30.0, 40.75]} for label, score in found]
    row = {"schema": 1, "image_id": image_id, "path": f"{image_id}.jpg", "status": status, "detections": detections}
    return row | ({"code": "IMG_EMPTY", "message": "empty"} if status == "failed" else {"width": 500, "height": 375})


ROWS = [
    batch_row("b", ("cat", 0.91), ("dog", 0.5000001), ("cat", 0.3)),
    batch_row("a"),
    batch_row("c", status="failed"),
    batch_row("e", ("cow", 0.75)),
]


@pytest.fixture
def batch(tmp_path):
    """Writes rows as the output of a batch in parts of two, and gives its folder."""
    pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")

    def make(rows):
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        for part in range(0, len(rows), 2):
            write_part(folder, part // 2, "mark", part, rows[part : part + 2])
        (folder / "inputs.arrow").write_bytes(b"ARROW1")
        (folder / "manifest.json").write_text("{}")
        return folder

    return make


def test_the_parts_of_a_batch_read_as_the_rows_of_detect_do(batch, tmp_path):
    """Empty and failed images count as such; image d has no row."""
    data = images(["a", "b", "c", "d", "e"])
    folder = batch(ROWS)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    expected = read_jsonl(tmp_path / "rows.jsonl", data)
    assert recognise(folder) == "parquet"
    found = read_results(folder, data)
    assert (found.missing, found.failed, found.unknown) == (1, 1, 0)
    assert (found.missing, found.failed, found.unknown) == (expected.missing, expected.failed, expected.unknown)
    for name in ("image_index", "label", "score", "boxes"):
        assert getattr(found.table, name).tolist() == getattr(expected.table, name).tolist()
    one = read_results(part_path(folder, 1), data)
    assert (len(one.table), one.missing, one.failed) == (1, 3, 1)


def test_a_batch_in_which_nothing_was_found(batch):
    found = read_parquet(batch([batch_row("a"), batch_row("b", status="failed")]), DATA)
    assert (len(found.table), found.missing, found.failed) == (0, 0, 1)


def test_images_and_classes_that_nobody_knows_are_told_from_parts_too(batch):
    folder = batch(ROWS)
    assert code_of(lambda: read_parquet(folder, DATA), "c, e") == "IMAGE_UNKNOWN"
    found = read_parquet(folder, DATA, ignore_unknown=True)
    assert (len(found.table), found.missing, found.failed, found.unknown) == (3, 0, 0, 2)
    data = images(["a", "b", "c", "e"], names=("cat", "dog"))
    assert code_of(lambda: read_parquet(folder, data), "'cow' in 1 rows", "part-0000001.parquet") == "CLASS_UNKNOWN"


def test_an_image_given_twice_is_refused(batch):  # FAULTS 39
    folder = batch([*ROWS, batch_row("b")])
    data = images(["a", "b", "c", "e"])
    assert code_of(lambda: read_parquet(folder, data), "input 0 and input 4", "part-0000002") == "DUPLICATE_ID"


def test_a_folder_without_tables_is_no_result(tmp_path):
    pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
    assert code_of(lambda: read_parquet(tmp_path, DATA), str(tmp_path)) == "DET_MISSING"
    assert code_of(lambda: read_results(tmp_path, DATA), "parts of a batch") == "DET_MISSING"


def test_tables_of_others_in_a_folder_are_read_together(tmp_path):
    pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
    one, two = random_table(1, 5, DATA), random_table(2, 7, DATA)
    write_parquet(one, DATA, tmp_path / "1.parquet")
    write_parquet(two, DATA, tmp_path / "2.parquet")
    found = read_parquet(tmp_path, DATA).table
    assert found.score.tolist() == [*one.score.tolist(), *two.score.tolist()]
