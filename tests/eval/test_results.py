import json

import numpy as np
import pytest
from random_detections import random_case, table
from tiny_voc import dataset, truth

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.eval.results import read_comp4, read_jsonl, read_results
from googlenet_rcnn.eval.submission import write_comp4

DATA = dataset([truth()] * 3)


def line(image_id, *detections, status="ok", **extra):
    found = [{"label": label, "score": score, "box": box} for label, score, box in detections]
    return json.dumps({"schema": 1, "image_id": image_id, "status": status, "detections": found} | extra) + "\n"


CAT = ("cat", 0.5, [1.0, 2, 30.5, 40])


def code_of(call, *parts):
    with pytest.raises(DataError) as caught:
        call()
    assert "\n" not in caught.value.message
    for part in parts:
        assert part in caught.value.message
    return caught.value.code


def test_jsonl(tmp_path):
    path = tmp_path / "d.jsonl"
    wild = ("dog", -3, [-5, 900, -9, 2])
    path.write_text(line("000002", CAT, wild, warnings=["X"]) + "\n" + line("000000", status="failed", code="X"))
    results = read_results(path, DATA)
    assert (results.missing, results.failed, results.unknown) == (1, 1, 0)
    found = results.table
    assert found.image_index.tolist() == [2, 2]
    assert found.label.tolist() == [0, 1]
    assert found.score.tolist() == [0.5, -3]
    assert found.boxes.tolist() == [[1, 2, 30.5, 40], [-5, 900, -9, 2]]


def test_empty_jsonl(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text("")
    assert read_jsonl(path, DATA).missing == 3
    assert len(read_jsonl(path, DATA).table) == 0


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        (line("000000") + line("000001", CAT)[:-20], "DET_PARSE", "d.jsonl:2: the last line is torn"),
        ("{]\n" + line("000000"), "DET_PARSE", "d.jsonl:1: not JSON"),
        (line("000000") * 2, "DUPLICATE_ID", "d.jsonl:2"),
        (line("000000", schema=2), "DET_SCHEMA", "found 2"),
        ("[1]\n", "DET_SCHEMA", "list"),
        (line(7), "DET_SCHEMA", "image_id"),
        (line("000000", status="fine"), "DET_SCHEMA", "'fine'"),
        (line("000000", detections=None), "DET_SCHEMA", "detections"),
        (line("000000", CAT, ("cat", "high", [1, 2, 3, 4])), "DET_SCHEMA", "detections[1].score"),
        (line("000000", ("cat", 1, [1, 2, 3])), "DET_SCHEMA", "4 numbers"),
        (line("000000", ("cat", 1, [1, 2, True, 4])), "DET_SCHEMA", "box"),
        (line("000000", ("cat", float("nan"), [1, 2, 3, 4])), "DET_PARSE", "NaN"),
        (line("000000", ("cat", 1, [1, 2, 3, 4])).replace("4]", "1e999]"), "DET_NOT_FINITE", "box"),
        (line("000000", ("cow", 1, [1, 2, 3, 4])), "CLASS_UNKNOWN", "'cow'"),
        (line("x") + line("y"), "IMAGE_UNKNOWN", "2 images are not in this split (x, y)"),
        ("[" * 100_000 + "\n", "DET_PARSE", "d.jsonl:1"),
    ],
)
def test_bad_jsonl(tmp_path, text, code, part):
    path = tmp_path / "d.jsonl"
    path.write_text(text)
    assert code_of(lambda: read_jsonl(path, DATA), part) == code


def test_unknown_images_may_be_left_out(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(line("other", CAT) + line("000001", CAT))
    results = read_jsonl(path, DATA, ignore_unknown=True)
    assert (results.missing, results.unknown) == (2, 1)
    assert results.table.image_index.tolist() == [1]
    assert code_of(lambda: read_jsonl(tmp_path / "none.jsonl", DATA)) == "DET_UNREADABLE"


def test_comp4_corners_become_half_open(tmp_path):
    (tmp_path / "comp4_det_val_cat.txt").write_text("000001 0.25 1 1 30 40\r\n\r\n000001 1e-3 9 9 2 2\n")
    (tmp_path / "comp4_det_val_other.txt").write_text("rubbish")
    results = read_results(tmp_path, DATA)
    assert results.table.boxes.tolist() == [[0, 0, 30, 40], [8, 8, 2, 2]]
    assert results.table.score.tolist() == [0.25, 0.001]
    assert (results.missing, results.failed, results.unknown) == (2, 0, 0)


def test_comp4_of_several_splits_and_of_names_that_end_alike(tmp_path):
    for name in ("val_cat", "test_cat"):
        (tmp_path / f"comp4_det_{name}.txt").write_text("")
    assert code_of(lambda: read_comp4(tmp_path, DATA)) == "DET_AMBIGUOUS"
    assert len(read_comp4(tmp_path, DATA, "val").table) == 0
    assert code_of(lambda: read_comp4(tmp_path, DATA, "train"), "comp4_det_train_cat.txt") == "DET_MISSING"
    (tmp_path / "comp4_det_val_wild_cat.txt").write_text("000000 1 1 1 2 2\n")
    wild = dataset([truth()], ["cat", "wild_cat"])
    assert read_comp4(tmp_path, wild, "val").table.label.tolist() == [1]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("000000 0.5 1 2 3", "DET_PARSE"),
        ("000000 0.5 1 2 3 4 5", "DET_PARSE"),
        ("000000 0.5 1 2 x 4", "DET_PARSE"),
        ("000000 nan 1 2 3 4", "DET_NOT_FINITE"),
        ("strange 0.5 1 2 3 4", "IMAGE_UNKNOWN"),
    ],
)
def test_bad_comp4(tmp_path, row, code):
    (tmp_path / "comp4_det_val_cat.txt").write_text(row + "\n")
    assert code_of(lambda: read_comp4(tmp_path, DATA)) == code


def test_written_files_read_back_the_same(tmp_path):
    truths, rows = random_case(4)
    data = dataset(truths, "abc")
    whole = table(rows)
    paths = write_comp4(whole, data, tmp_path / "out", "val")
    assert [path.name for path in paths] == [f"comp4_det_val_{name}.txt" for name in "abc"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    back = read_comp4(tmp_path / "out", data, "val").table

    def order(one):
        return np.lexsort((one.score, one.label))

    for column in ("image_index", "label", "boxes"):
        assert np.array_equal(getattr(back, column)[order(back)], getattr(whole, column)[order(whole)])
    assert np.allclose(back.score[order(back)], whole.score[order(whole)], rtol=1e-8, atol=0)


def test_written_rows(tmp_path):
    found = table([(1, 0, 0.25, (0, 1, 30, 40.5)), (0, 0, 0.1, (0, 0, 1, 1)), (0, 0, 0.9, (0, 0, 1, 1))])
    paths = write_comp4(found, DATA, tmp_path, "val")
    assert paths[0].read_text() == "000000 0.9 1 1 1 1\n000000 0.1 1 1 1 1\n000001 0.25 1 2 30 40.5\n"
    assert paths[1].read_text() == ""
    with pytest.raises(UsageError):
        write_comp4(found, DATA, tmp_path, "val")
    assert write_comp4(table([]), DATA, tmp_path, "val", overwrite=True)[0].read_text() == ""
