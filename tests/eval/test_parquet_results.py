import sys

import pytest
from random_detections import table
from result_formats import code_of, images, random_table

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.eval.parquet_results import read_parquet, write_parquet

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
