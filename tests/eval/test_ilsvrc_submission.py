import numpy as np
import pytest
from random_detections import table
from result_formats import code_of, images
from shared_data import SHARED, needs_shared

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.eval.ilsvrc_submission import read_ilsvrc, write_ilsvrc
from googlenet_rcnn.eval.results import read_results

LISTED = images(["b", "a"], numbers=[900, 17], class_ids=(3, 200, 17))


def test_rows_count_as_written(tmp_path):
    path = tmp_path / "found.txt"
    path.write_text("17 200 0.5 0 0 29 39\r\n\n900 3 1e-3 -5.5 10 -20 600\n 17\t17 -2 3 3 3 3")
    results = read_results(path, LISTED)
    assert results.table.image_index.tolist() == [1, 0, 1]
    assert results.table.label.tolist() == [1, 0, 2]
    assert results.table.score.tolist() == [0.5, 0.001, -2]
    assert results.table.boxes.tolist() == [[0, 0, 30, 40], [-5.5, 10, -19, 601], [3, 3, 4, 4]]
    assert (results.missing, results.failed, results.unknown) == (0, 0, 0)


def test_without_numbers_an_image_is_its_place_in_the_list_and_a_class_its_label_from_1(tmp_path):
    path = tmp_path / "found.txt"
    path.write_text("2 3 0.5 0 0 9 9\n")
    found = read_ilsvrc(path, images(["000077", "000001"])).table
    assert (found.image_index.tolist(), found.label.tolist()) == ([1], [2])


def test_written_rows(tmp_path):
    path = tmp_path / "found.txt"
    score = float(np.float32(0.123456789))
    write_ilsvrc(table([(1, 1, score, (0, 0, 30, 40.126)), (0, 0, 1, (5, 5, 5, 5))]), LISTED, path)
    assert path.read_text() == "17 200 0.123456791 0.00 0.00 29.00 39.13\n900 3 1 5.00 5.00 4.00 4.00\n"
    with pytest.raises(UsageError):
        write_ilsvrc(table([]), LISTED, path)


@pytest.mark.parametrize(
    ("row", "code", "part"),
    [
        ("17 3 0.5 1 2 3", "DET_PARSE", "found.txt:2: a row is `image_number det_id score"),
        ("17 3 0.5 1 2 3 4 5", "DET_PARSE", "17 3 0.5 1 2 3 4 5"),
        ("17 3 0.5 1 2 three 4", "DET_PARSE", "found.txt:2: xmax is 'three', not a number"),
        ("17 3.0 0.5 1 2 3 4", "DET_PARSE", "found.txt:2: det_id is '3.0', not a whole number"),
        ("b 3 0.5 1 2 3 4", "DET_PARSE", "image_number is 'b'"),
        ("17 3 nan 1 2 3 4", "DET_NOT_FINITE", "found.txt:2"),  # FAULTS 4
        ("17 3 0.5 1 2 inf 4", "DET_NOT_FINITE", "found.txt:2"),  # FAULTS 30
        ("17 3 0.5 1 2 1e999 4", "DET_NOT_FINITE", "found.txt:2"),
        ("17 4 0.5 1 2 3 4", "CLASS_UNKNOWN", "'4' in 1 rows, first"),  # FAULTS 37
        ("18 3 0.5 1 2 3 4", "IMAGE_UNKNOWN", "1 images are not in this split (18, first"),  # FAULTS 40
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, code, part):
    path = tmp_path / "found.txt"
    path.write_text(f"17 3 0.5 1 2 3 4\n{row}\n17 3 0.5 1 2 3 4\n")
    assert code_of(lambda: read_ilsvrc(path, LISTED), str(path), part) == code


@needs_shared
def test_the_demo_predictions_of_the_devkit_are_read_as_numpy_reads_them():
    path = SHARED / "ilsvrc_det" / "demo_val2_predictions.txt"
    rows = np.array([line.split() for line in path.read_text().splitlines()], dtype=np.float64)
    numbers = [int(line.split()[1]) for line in (SHARED / "ilsvrc_det" / "val2.txt").read_text().splitlines()]
    data = images([str(number) for number in numbers], numbers, [f"class {i}" for i in range(200)])
    results = read_results(path, data)
    found = results.table
    assert len(found) == len(rows) == 23_590
    assert results.missing == len(numbers) - len(np.unique(rows[:, 0]))
    assert np.array_equal(np.array(numbers)[found.image_index], rows[:, 0])
    assert np.array_equal(found.label + 1, rows[:, 1])
    assert np.array_equal(found.score, rows[:, 2])
    assert np.array_equal(found.boxes, rows[:, 3:] + (0, 0, 1, 1))
    assert (found.boxes[:, 2] < found.boxes[:, 0] + 1).any()  # turned inside out, and counted all the same
