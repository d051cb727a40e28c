import os

import pytest
from data_faults import code_of
from tiny_layouts import LAYOUTS

from googlenet_rcnn.datasets.tree import read_dataset


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_box_in_every_layout(tmp_path, layout):
    data = read_dataset(str(LAYOUTS[layout](tmp_path)), "train")
    (sample,) = data.samples
    assert sample.truth.boxes.coordinates[0].tolist() == pytest.approx([1, 2, 20, 30], abs=1e-4)
    assert data.findings == ()


@pytest.mark.parametrize("one", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_two_layouts_in_one_folder(tmp_path, one, other):
    LAYOUTS[one](tmp_path)
    LAYOUTS[other](tmp_path)
    if one == other:
        assert len(read_dataset(tmp_path, "train").samples) == 1
    else:
        assert code_of(lambda: read_dataset(tmp_path, "train"), one, other) == "DATA_AMBIGUOUS"


# FAULTS 22: a pipe would wait for ever.
@pytest.mark.parametrize("name", ["annotations.xml", "export.json"])
def test_pipes_are_not_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert code_of(lambda: read_dataset(LAYOUTS["YOLO"](tmp_path), "none")) == "SPLIT_MISSING"
    assert code_of(lambda: read_dataset(tmp_path / "annotations.xml", "train")).startswith("DATA_")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_json_beside_the_data_confuses_nobody(tmp_path, layout):
    (LAYOUTS[layout](tmp_path) / "results.json").write_text("[]")
    assert len(read_dataset(tmp_path, "train").samples) == 1


def test_no_layout_at_all(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "Annotations").mkdir()
    assert code_of(lambda: read_dataset(tmp_path, "train"), *LAYOUTS) == "DATA_UNRECOGNISED"
    assert code_of(lambda: read_dataset(tmp_path / "notes.txt", "train"), "notes.txt") == "DATA_UNRECOGNISED"
    assert code_of(lambda: read_dataset(tmp_path / "gone", "train"), "gone") == "DATA_MISSING"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_split_that_is_not_there(tmp_path, layout):
    root = LAYOUTS[layout](tmp_path)
    assert code_of(lambda: read_dataset(root, "val"), root) == "SPLIT_MISSING"
    for split in ("../train", "/train", "a/../../train"):
        assert code_of(lambda split=split: read_dataset(root, split)) == "PATH_ESCAPE"
