import numpy as np
import pytest
from random_detections import table
from result_formats import code_of, images

from googlenet_rcnn.core.types import Dataset, LabelSet, Sample
from googlenet_rcnn.eval.results import read_results
from googlenet_rcnn.eval.yolo_results import read_yolo_results, write_yolo_results

DATA = images(["b", "x/a", "c"])  # of 500x375


def test_boxes_are_centre_and_size_in_parts_of_the_image(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.txt").write_text("2 0.5 0.5 1 1 0.25\r\n\r\n0 0.1 0.2 0.04 0.08 0.9\n")
    (tmp_path / "c.txt").write_text("")  # an image in which nothing was found
    results = read_results(tmp_path, DATA)
    assert (results.missing, results.unknown) == (1, 0)
    found = results.table
    assert (found.image_index.tolist(), found.label.tolist(), found.score.tolist()) == ([1, 1], [2, 0], [0.25, 0.9])
    assert np.allclose(found.boxes, [[0, 0, 500, 375], [40, 60, 60, 90]])


def test_written_files(tmp_path):
    write_yolo_results(table([(1, 1, 0.5, (100, 75, 200, 150)), (1, 0, 0.75, (0, 0, 5, 3.75))]), DATA, tmp_path / "out")
    files = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_text() for path in (tmp_path / "out").rglob("*.txt")
    }
    assert files == {
        "classes.txt": "cat\ndog\ncow\n",
        "b.txt": "",
        "c.txt": "",
        "x/a.txt": "1 0.3 0.3 0.2 0.2 0.5\n0 0.005 0.005 0.01 0.01 0.75\n",
    }


def test_class_numbers_mean_what_the_list_of_classes_says(tmp_path):  # FAULTS 37
    (tmp_path / "b.txt").write_text("0 0.5 0.5 1 1 0.25\n1 0.5 0.5 1 1 0.25\n")
    (tmp_path / "classes.txt").write_text("dog\r\ncat\n")
    assert read_yolo_results(tmp_path, DATA).table.label.tolist() == [1, 0]
    (tmp_path / "classes.txt").write_text("dog\n")
    assert code_of(lambda: read_yolo_results(tmp_path, DATA), "'1' in 1 rows", "b.txt:2") == "CLASS_UNKNOWN"


def test_rows_stand_in_the_order_of_the_data_set(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("0 0.5 0.5 1 1 0.25\n")
    found = read_yolo_results(tmp_path, images(["c", "a", "b"])).table
    assert found.image_index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("row", "code", "part"),
    [
        ("0 0.5 0.5 1 1", "DET_PARSE", "b.txt:1: a row is `class cx cy w h confidence`"),
        ("0,0.5,0.5,1,1,0.3", "DET_PARSE", "b.txt:1"),
        ("cat 0.5 0.5 1 1 0.3", "DET_PARSE", "class is 'cat', not a whole number"),
        ("0 0.5 0.5 nan 1 0.3", "DET_NOT_FINITE", "b.txt:1"),  # FAULTS 30
        ("3 0.5 0.5 1 1 0.3", "CLASS_UNKNOWN", "'3' in 1 rows"),  # FAULTS 37
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, code, part):
    (tmp_path / "b.txt").write_text(row + "\n")
    assert code_of(lambda: read_yolo_results(tmp_path, DATA), part) == code


def test_the_size_of_an_image_is_needed_only_where_something_was_found(tmp_path):
    unknown = Dataset(LabelSet(("cat",)), (Sample("a", tmp_path / "a.jpg"), *images(["b"]).samples))
    write_yolo_results(table([(1, 0, 1, (0, 0, 5, 5))]), unknown, tmp_path / "one")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["b.txt", "classes.txt"]
    found = table([(0, 0, 1, (0, 0, 5, 5))])
    assert code_of(lambda: write_yolo_results(found, unknown, tmp_path / "two"), "'a'") == "SIZE_UNKNOWN"
    (tmp_path / "one" / "a.txt").write_text("0 0.5 0.5 1 1 0.3\n")
    assert code_of(lambda: read_yolo_results(tmp_path / "one", unknown), "'a'") == "SIZE_UNKNOWN"


def test_an_image_called_as_the_list_of_classes(tmp_path):
    assert (
        code_of(lambda: write_yolo_results(table([]), images(["a", "classes"]), tmp_path), "'classes'") == "ID_RESERVED"
    )
    assert list(tmp_path.iterdir()) == []
