"""A folder per class, recognised and read for a check."""

from dataclasses import replace

import pytest
from tiny_yolo import write_picture

from googlenet_rcnn.datasets.class_folders import folder_splits, inspect_labelled, read_folders
from googlenet_rcnn.datasets.findings import Findings


@pytest.fixture
def place(tmp_path):
    """Writes pictures, or empty files of another kind, by their names."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            write_picture(tmp_path / name) if name.endswith(".jpg") else (tmp_path / name).touch()
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("cat/a.jpg", "dog/b.jpg"), ["all"]),
        (("train/cat/a.jpg", "val/cat/b.jpg", ".git/x"), ["train", "val"]),
        (("train/cat/a.jpg", "val/b.jpg"), []),
        (("train/a.jpg", "cat/a.jpg"), ["all"]),  # a class may be called train
        (("JPEGImages/a.jpg", "Annotations/a.xml"), []),
        (("images/a.jpg", "labels/a.txt"), []),
        (("a.jpg",), []),
    ],
)
def test_what_is_taken_for_class_folders(place, names, splits):
    assert folder_splits(place(*names)) == splits


def test_images_with_their_classes_and_what_was_left_out(place):
    root = place("train/dog/b.jpg", "train/cat/a.jpg", "train/cat/notes.md", "train/cow/x.md")
    findings = Findings(collected=True)
    data = read_folders(root, "train", findings)
    assert [sample.image_id for sample in data.samples] == ["train/cat/a", "train/dog/b"]
    assert (data.labels.names, data.image_labels.tolist()) == (("cat", "cow", "dog"), [0, 2])
    assert sorted({one.code for one in findings}) == ["CLASS_EMPTY", "FILE_IGNORED"]


# FAULTS 47
def test_few_images_and_rare_classes(place):
    data = read_folders(place("cat/a.jpg", "cat/b.jpg", "dog/c.jpg"), "all")
    assert [(one.code, one.place) for one in inspect_labelled(data, 2)] == [("CLASS_RARE", "dog")]
    assert inspect_labelled(data, 1) == []
    one = replace(data, samples=data.samples[:1], image_labels=data.image_labels[:1])
    assert [finding.code for finding in inspect_labelled(one, 0)] == ["FEW_IMAGES"]
