"""Images that cannot be read are told of before a training begins, and never met during it."""

import json

import numpy as np
import pytest
from hostile import encoded, half_jpeg, photo, write

from googlenet_rcnn.backbone import labelled_images as module
from googlenet_rcnn.backbone.labelled_images import LabelledImages, readable_images
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet


@pytest.fixture
def images(tmp_path):
    """Four images, of which the second is cut and the fourth empty."""
    paths = [
        write(tmp_path, "a.png", encoded(photo(), "PNG")),
        write(tmp_path, "b.jpg", half_jpeg()),
        write(tmp_path, "c.png", encoded(photo(), "PNG")),
        write(tmp_path, "d.png", b""),
    ]
    return LabelledImages(LabelSet(("x", "y")), paths, np.array([0, 0, 1, 1]))


def check(images, out, skip):
    said = []
    return readable_images(images, out, skip, Processes(), said.append), said


def test_whole_images_are_all_kept(images, tmp_path) -> None:
    good = LabelledImages(images.labels, [images.paths[0], images.paths[2]], np.array([0, 1]))
    found, said = check(good, tmp_path / "out", skip=False)
    assert found is good
    assert said == []


def test_a_bad_one_is_fatal_and_named_with_the_count(images, tmp_path) -> None:
    with pytest.raises(DataError, match=r"2 of 4 images cannot be read.*--on-error skip.*b.jpg") as caught:
        check(images, tmp_path / "out", skip=False)
    assert caught.value.code == "IMG_UNREADABLE"


def test_bad_ones_are_left_out_with_a_note_and_listed(images, tmp_path) -> None:
    found, said = check(images, tmp_path / "out", skip=True)
    assert [path.name for path in found.paths] == ["a.png", "c.png"]
    assert found.truth.tolist() == [0, 1]
    assert len(said) == 1
    assert "2 of 4 images cannot be read" in said[0]
    listed = json.loads((tmp_path / "out" / "unreadable.json").read_text())["images"]
    assert set(listed) == {str(images.paths[1]), str(images.paths[3])}
    assert "has 0 bytes" in listed[str(images.paths[3])]


def test_it_is_an_error_if_none_is_left(images, tmp_path) -> None:
    bad = LabelledImages(images.labels, [images.paths[1], images.paths[3]], np.array([0, 1]))
    with pytest.raises(DataError, match="none of the 2 images"):
        check(bad, tmp_path / "out", skip=True)


def test_what_was_checked_is_not_checked_again_unless_it_changed(images, tmp_path, monkeypatch) -> None:
    read, fault = [], module._fault
    monkeypatch.setattr(module, "_fault", lambda decoder, path: read.append(path) or fault(decoder, path))
    check(images, tmp_path / "out", skip=True)
    assert len(read) == 4
    check(images, tmp_path / "out", skip=True)
    assert len(read) == 4
    write(tmp_path, "b.jpg", encoded(photo(), "JPEG"))
    found, _ = check(images, tmp_path / "out", skip=True)
    assert len(read) == 8
    assert len(found.paths) == 3


@pytest.mark.parametrize("content", ["", "[]", "{", '{"of": 3}'])
def test_a_damaged_list_is_made_again(images, tmp_path, content) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "unreadable.json").write_text(content)
    assert len(check(images, tmp_path / "out", skip=True)[0].paths) == 2
