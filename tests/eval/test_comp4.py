import pytest
from random_detections import table
from result_formats import code_of, images
from tiny_voc import dataset, truth

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.eval.comp4 import read_comp4, write_comp4
from googlenet_rcnn.eval.results import read_results

DATA = dataset([truth()] * 3)


def test_comp4_corners_become_half_open(tmp_path):
    (tmp_path / "comp4_det_val_cat.txt").write_text("000001 0.25 1 1 30 40\r\n\r\n000001 1e-3 9 9 2 2\n")
    results = read_results(tmp_path, DATA)
    assert results.table.boxes.tolist() == [[0, 0, 30, 40], [8, 8, 2, 2]]
    assert results.table.score.tolist() == [0.25, 0.001]
    assert (results.missing, results.failed, results.unknown) == (2, 0, 0)


def test_a_file_of_a_class_that_is_not_in_the_data_set_is_an_error(tmp_path):  # FAULTS 37, 4
    for name in ("cat", "ship"):
        (tmp_path / f"comp4_det_val_{name}.txt").write_text("000000 1 1 1 2 2\n000001 1 1 1 2 2\n")
    for split in (None, "val"):
        code = code_of(
            lambda split=split: read_comp4(tmp_path, DATA, split), "'ship' in 2 rows", "comp4_det_val_ship.txt:1"
        )
        assert code == "CLASS_UNKNOWN"


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
        ("000000 nan 1 2 3 4", "DET_NOT_FINITE"),  # FAULTS 4
        ("000000 0.5 1 -inf 3 4", "DET_NOT_FINITE"),  # FAULTS 30
        ("strange 0.5 1 2 3 4", "IMAGE_UNKNOWN"),
    ],
)
def test_bad_comp4(tmp_path, row, code):
    (tmp_path / "comp4_det_val_cat.txt").write_text(row + "\n")
    assert code_of(lambda: read_comp4(tmp_path, DATA)) == code


def test_written_rows(tmp_path):
    found = table([(1, 0, 0.25, (0, 1, 30, 40.5)), (0, 0, 0.1, (0, 0, 1, 1)), (0, 0, 0.9, (0, 0, 1, 1))])
    paths = write_comp4(found, DATA, tmp_path, "val")
    assert paths[0].read_text() == "000000 0.9 1 1 1 1\n000000 0.1 1 1 1 1\n000001 0.25 1 2 30 40.5\n"
    assert paths[1].read_text() == ""
    with pytest.raises(UsageError):
        write_comp4(found, DATA, tmp_path, "val")
    assert write_comp4(table([]), DATA, tmp_path, "val", overwrite=True)[0].read_text() == ""


def test_image_ids_that_cannot_stand_in_a_row(tmp_path):
    for name in ("two words", "tab\there"):
        assert (
            code_of(lambda name=name: write_comp4(table([]), images([name]), tmp_path, "val"), name[:3])
            == "ID_HAS_SPACE"
        )
    assert list(tmp_path.iterdir()) == []
