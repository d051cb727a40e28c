"""Labelled images in folders, or as a list in ILSVRC's layout."""

import numpy as np
import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.classified import read_classified

SYNSETS = ("n02123045 tabby, tabby cat", "n02084071 dog", "n01440764 tench")


@pytest.fixture
def tree(tmp_path):
    """Two training folders, three validation images in one folder, their list, and three synsets."""
    for name in ("train/n02123045/a.JPEG", "train/n02084071/b.JPEG", "val/1.JPEG", "val/2.JPEG", "val/3 x.JPEG"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "synsets.txt").write_text("\n".join(SYNSETS))
    (tmp_path / "val.txt").write_text("2.JPEG 0\n1.JPEG 1\n\n3 x.JPEG 2\n")
    return tmp_path


def names(found):
    return [path.name for path in found.paths]


def test_folders_and_list_share_the_order_of_the_synsets(tree) -> None:
    train, val = read_classified(tree, "train"), read_classified(tree, "val")
    assert train.labels.names == val.labels.names == SYNSETS
    assert (names(train), train.truth.tolist()) == (["b.JPEG", "a.JPEG"], [1, 0])
    assert (names(val), val.truth.tolist()) == (["2.JPEG", "1.JPEG", "3 x.JPEG"], [0, 1, 2])
    assert val.findings == ()


def test_without_synsets_classes_are_numbered_as_the_training_folders(tree) -> None:
    (tree / "synsets.txt").unlink()
    (tree / "val.txt").write_text("1.JPEG 1")
    found = read_classified(tree, "val")
    assert (found.labels.names, found.truth.tolist()) == (("n02084071", "n02123045"), [1])
    assert [finding.code for finding in found.findings] == ["SYNSETS_MISSING"]


def test_given_labels_go_first(tree) -> None:
    labels = LabelSet(("n02123045", "n02084071"))
    assert read_classified(tree, "train", labels).truth.tolist() == [1, 0]
    (tree / "val.txt").write_text("1.JPEG 1")
    assert read_classified(tree, "val", labels).labels == labels


def test_a_plain_tree_is_a_folder_for_each_class(tree) -> None:
    (tree / "synsets.txt").unlink()
    found = read_classified(tree / "train")
    assert found.labels.names == ("n02084071", "n02123045")
    assert np.array_equal(found.truth, [0, 1])


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("1.JPEG 0\n2.JPEG 3", "ANN_PARSE", "val.txt, line 2: '2.JPEG 3' is no file and class from 0 to 2"),
        ("1.JPEG", "ANN_PARSE", "line 1"),
        ("1.JPEG -1", "ANN_PARSE", "line 1"),
        ("1.JPEG cat", "ANN_PARSE", "line 1"),
        ("../train/n02084071/b.JPEG 0", "PATH_ESCAPE", "line 1: .* leads outside"),
        ("/etc/passwd 0", "PATH_ESCAPE", "line 1: .* leads outside"),
        ("gone.JPEG 0\nlost.JPEG 0", "IMG_MISSING", r"gone.JPEG.*\(2 are not\)"),
        ("\n \n", "NO_IMAGES", "names no image"),
    ],
)
def test_faults_of_a_list_are_told_by_line(tree, text, code, hint) -> None:
    (tree / "val.txt").write_text(text)
    with pytest.raises(DataError, match=hint) as caught:
        read_classified(tree, "val")
    assert caught.value.code == code


def test_a_list_that_is_no_text_is_refused(tree) -> None:
    (tree / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="DATA_UNREADABLE"):
        read_classified(tree, "val")
