"""A folder for each class: what is an image, what is a class, and which label a folder means."""

import os
import re

import pytest
from hostile import jpeg, write
from shared_data import SHARED, needs_shared

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.imagefolder import read_image_folder
from googlenet_rcnn.datasets.label_list import load_labels

WNIDS = LabelSet(("n00000001 cat", "n00000002 great dane", "n00000003 crane", "n00000004 crane"))


@pytest.fixture
def tree(tmp_path):
    """Writes files, each with a few bytes; a name that ends in / is an empty folder."""

    def make(*names, root=tmp_path / "data"):
        root.mkdir(exist_ok=True)
        for name in names:
            path = root / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_bytes(b"not opened")
        return root

    return make


def read(root, labels=None, split=None):
    """Pairs of path below the root and label, and the codes of what was found."""
    folder = read_image_folder(root, labels, split)
    assert len(folder.paths) == len(folder.truth)
    rows = [
        (path.relative_to(root).as_posix(), int(label)) for path, label in zip(folder.paths, folder.truth, strict=True)
    ]
    return rows, [finding.code for finding in folder.findings]


def test_without_labels_the_sorted_folders_are_the_classes(tree):
    root = tree("dog/b.jpg", "dog/a.JPEG", "cat/z.png")
    assert read(root) == ([("cat/z.png", 0), ("dog/a.JPEG", 1), ("dog/b.jpg", 1)], [])
    assert read_image_folder(root).labels.names == ("cat", "dog")


def test_a_wnid_means_its_place_in_the_list(tree):
    root = tree("n00000004/x.jpg", "n00000001/y.jpg")
    assert read(root, WNIDS)[0] == [("n00000001/y.jpg", 0), ("n00000004/x.jpg", 3)]


def test_names_are_read_exactly_first_and_then_forgivingly(tree):
    root = tree("Great_Dane/x.jpg", "CAT/y.jpg")
    assert dict(read(root, WNIDS)[0]) == {"Great_Dane/x.jpg": 1, "CAT/y.jpg": 0}
    both = LabelSet(("cat", "Cat", "great-dane"))
    root = tree("Cat/x.jpg", root=root.parent / "exact")
    assert dict(read(root, both)[0]) == {"Cat/x.jpg": 1}


def test_a_name_that_two_classes_share_is_no_answer(tree):
    """ImageNet has two cranes: only their WNIDs tell them apart."""
    with pytest.raises(DataError, match=r"CLASS_UNKNOWN.*'crane' 2x"):
        read(tree("crane/x.jpg", "crane/y.jpg"), WNIDS)


def test_folders_without_a_label_are_told_in_one_table(tree):
    """FAULTS 37: name, count and first file of each."""
    root = tree("wolf/b.jpg", "wolf/c.jpg", "n99999999/a.jpg", "n00000001/a.jpg", "empty/")
    with pytest.raises(DataError) as caught:
        read(root, WNIDS)
    message = caught.value.message
    assert caught.value.code == "CLASS_UNKNOWN"
    assert f"'wolf' 2x (first in {root / 'wolf' / 'b.jpg'}" in message
    assert f"'n99999999' 1x (first in {root / 'n99999999' / 'a.jpg'}" in message
    assert "'empty' 1x" in message
    assert "n00000001'" not in message
    assert "rename the folders" in message


def test_two_folders_of_one_class_are_refused(tree):
    with pytest.raises(DataError, match=r"CLASS_TWICE.*'cat' and 'n00000001' both mean 'n00000001 cat'"):
        read(tree("cat/x.jpg", "n00000001/y.jpg"), WNIDS)


def test_a_split_is_a_folder_of_the_root(tree):
    root = tree("train/cat/a.jpg", "val/cat/b.jpg", "val/dog/c.jpg")
    assert read(root, split="val")[0] == [("val/cat/b.jpg", 0), ("val/dog/c.jpg", 1)]
    with pytest.raises(DataError, match=r"SPLIT_MISSING.*'test'; available: train, val"):
        read(root, split="test")
    with pytest.raises(DataError, match=r"CLASS_UNKNOWN.*choose one with --split"):
        read(root, LabelSet(("cat", "dog")))
    with pytest.raises(DataError, match="SPLIT_MISSING"):
        read(root, split="../data")


def test_what_is_left_out_is_told(tree):
    """FAULTS 35: an empty class and files beside the images are counted, hidden ones are not looked at."""
    root = tree(
        "readme.txt", "loose.jpg", ".hidden.jpg", ".git/cat.jpg",
        "cat/a.jpg", "cat/.b.jpg", "cat/notes.txt", "cat/deeper/c.png", "dog/",
    )  # fmt: skip
    folder = read_image_folder(root)
    assert [path.name for path in folder.paths] == ["a.jpg", "c.png"]
    assert folder.truth.tolist() == [0, 0]
    assert folder.labels.names == ("cat", "dog")
    told = [(finding.code, finding.place) for finding in folder.findings]
    assert told == [("FILE_IGNORED", "loose.jpg"), ("FILE_IGNORED", "notes.txt"), ("CLASS_EMPTY", "dog")]
    assert "2 files are" in folder.findings[0].message


def test_nothing_to_read_is_said(tree, tmp_path):
    for root, code in (
        (tmp_path / "none", "DATA_MISSING"),
        (write(tmp_path, "file", b""), "DATA_MISSING"),
        (tree("a.jpg", root=tmp_path / "flat"), "DATA_UNRECOGNISED"),
        (tree("cat/", "dog/", root=tmp_path / "empty"), "NO_IMAGES"),
    ):
        with pytest.raises(DataError, match=code):
            read(root)


def test_loops_of_links_and_broken_links_end(tree):
    """FAULTS 22: a link to a class folder counts, a link within one is not followed."""
    root = tree("cat/a.jpg")
    os.symlink(root, root / "cat" / "again")
    os.symlink(root / "gone", root / "cat" / "broken.jpg")
    os.symlink(root / "cat", root / "dog")
    rows, _ = read(root)
    assert rows == [("cat/a.jpg", 0), ("cat/broken.jpg", 0), ("dog/a.jpg", 1), ("dog/broken.jpg", 1)]


def test_odd_names_are_names(tree):
    """FAULTS 21."""
    names = ["caf\u00e9 写真/ü.jpg", "with space/a b.jpg", "new\nline/x.jpg"]
    assert [name for name, _ in read(tree(*names))[0]] == sorted(names)
    (folder,) = {path.parent for path in read_image_folder(tree("one/a.jpg", root=tree().parent / "b")).paths}
    write(folder, os.fsdecode(b"latin1-\xe9.jpg"), jpeg())
    assert len(read_image_folder(folder.parent).paths) == 2


@needs_shared
def test_imagenet_has_one_folder_for_each_of_its_labels_in_order():
    folder = read_image_folder(SHARED / "imagenet-sample", load_labels("imagenet1k"))
    assert folder.truth.tolist() == list(range(1000))
    assert not folder.findings
    # The file's name carries the class's: an answer that the list of labels had no part in.
    for path, label in zip(folder.paths, folder.truth, strict=True):
        told, known = (re.sub(r"[\W_]", "", text).casefold() for text in (path.stem, folder.labels.names[label]))
        assert told[:13] == known[:13]
