"""What a check reads, compares and passes over."""

import pytest
import tiny_ilsvrc
from data_faults import code_of
from tiny_layouts import LAYOUTS
from tiny_voc import annotation, devkit, thing
from tiny_yolo import write_picture

from googlenet_rcnn.datasets.check import check_dataset, choose_splits
from googlenet_rcnn.datasets.findings import Findings
from googlenet_rcnn.datasets.tree import recognise

DOG = thing("dog", (2, 3, 20, 30))


def codes_of(root, *splits, **options):
    """Pairs of split and code, without what is said about every small data set."""
    layout = recognise(root)
    found = check_dataset(layout, choose_splits(layout, splits), **options)
    return [(split.name, one.code) for split in found.splits for one in split.findings if one.code != "CLASS_RARE"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_collecting_errors_changes_nothing_where_there_are_none(tmp_path, layout):
    known = recognise(LAYOUTS[layout](tmp_path))
    assert known.splits() == ["train2017" if layout == "COCO" else "train"]
    findings = Findings(collected=True)
    (one,), (other,) = (known.read(known.splits()[0], notes).samples for notes in (None, findings))
    assert one.truth.boxes.coordinates.tobytes() == other.truth.boxes.coordinates.tobytes()
    assert (one.image_id, one.exhaustive, findings) == (other.image_id, other.exhaustive, [])


def test_unions_of_other_splits_are_not_read_twice(tmp_path):
    for split in ("train", "trainval", "val", "car_train", "test"):
        devkit(tmp_path, {"a": annotation()}, split)
    layout = recognise(tmp_path)
    assert choose_splits(layout) == ["test", "train", "val"]
    assert choose_splits(layout, ["trainval"]) == ["trainval"]
    assert code_of(lambda: choose_splits(layout, ["none"]), "available: test, train, trainval, val") == "SPLIT_MISSING"
    (tmp_path / "VOC2007/ImageSets/Main/val.txt").unlink()
    assert choose_splits(layout) == ["test", "train", "trainval"]


def test_a_part_of_a_split_is_no_leak(tmp_path):
    for split, names in {"train": "a", "val": "b", "trainval": "ab"}.items():
        devkit(tmp_path, {name: annotation(DOG) for name in names}, split)
    assert codes_of(tmp_path, "train", "trainval", images=False) == [("train", "FEW_IMAGES")]
    devkit(tmp_path, {"a": annotation(DOG)}, "val")
    assert ("val", "SPLIT_LEAK") in codes_of(tmp_path, "train", "val", images=False)


def test_lists_of_ilsvrc_without_those_of_single_classes(tmp_path):
    tiny_ilsvrc.devkit(tmp_path, {"a": tiny_ilsvrc.annotation()}, ["a 1"])
    for name in ("train_pos_1", "train_pos_2", "val1"):
        (tmp_path / f"{name}.txt").write_text("")
    assert recognise(tmp_path).splits() == ["train", "val1", "val2"]


# FAULTS 35
def test_annotations_that_no_split_lists_are_told_when_all_are_read(tmp_path):
    devkit(tmp_path, {"a": annotation(DOG), "gone": annotation(DOG)})
    devkit(tmp_path, {"a": annotation(DOG), "b": annotation(DOG)})
    devkit(tmp_path, {"c": annotation(DOG)}, "val")
    assert codes_of(tmp_path, images=False) == [("val", "ANN_UNLISTED")]
    assert codes_of(tmp_path, "train", images=False) == []


# FAULTS 23, 46: two names for one file within a split are a warning.
def test_one_picture_under_two_names(tmp_path):
    devkit(tmp_path, {name: annotation(DOG) for name in "ab"})
    pictures = tmp_path / "VOC2007/JPEGImages"
    write_picture(pictures / "a.jpg")
    (pictures / "b.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    assert codes_of(tmp_path) == [("train", "IMG_TWICE")]


def test_a_fault_of_a_file_that_two_splits_share_is_told_once(tmp_path):
    devkit(tmp_path, {"a": "<annotation>", "b": annotation(DOG), "c": annotation(DOG)})
    devkit(tmp_path, {"a": "<annotation>"}, "val")
    assert [code for _, code in codes_of(tmp_path, images=False)].count("ANN_PARSE") == 1


def test_every_picture_is_looked_at_once_and_progress_is_told(tmp_path):
    for split, names in {"train": "ab", "val": "bc"}.items():
        devkit(tmp_path, {name: annotation(DOG) for name in names}, split)
    for name in "abc":
        write_picture(tmp_path / "VOC2007/JPEGImages" / f"{name}.jpg")
    told = []
    found = check_dataset(recognise(tmp_path), ["train", "val"], progress=lambda *step: told.append(step), threads=2)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert sorted(path.stem for path in found.pictures) == ["a", "b", "c"]
