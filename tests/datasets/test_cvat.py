"""CVAT for images 1.1."""

import pytest
from data_faults import code_of, codes
from tiny_cvat import box, export, image
from tiny_yolo import write_picture

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.cvat import read_cvat
from googlenet_rcnn.datasets.findings import Findings
from googlenet_rcnn.datasets.tree import read_dataset, recognise


def test_boxes_labels_and_empty_images(tmp_path):
    write_picture(tmp_path / "images" / "sub" / "b.jpg")
    root = export(tmp_path, image(box(), box("dog", (0, 0, 200, 100))), image(name="sub/b.jpg", number=1))
    for place in (root, root / "annotations.xml"):
        data = read_dataset(place, "default")
        assert [sample.image_id for sample in data.samples] == ["a", "sub/b"]
        truth = data.samples[0].truth
        assert truth.boxes.coordinates.tolist() == [[10, 20, 30.5, 40], [0, 0, 200, 100]]
        assert (truth.labels.tolist(), data.labels.names) == ([1, 0], ("dog", "cat"))
        assert (len(data.samples[1].truth), data.samples[1].truth.size) == (0, Size(100, 200))
        assert data.samples[1].path == tmp_path / "images" / "sub" / "b.jpg"
        assert data.findings == ()
    assert (recognise(root).kind, recognise(root).splits()) == ("cvat", ["default"])


def test_subsets_are_splits(tmp_path):
    root = export(
        tmp_path, image(box(), subset="Train"), image(name="b.jpg", subset="Val"), image(name="c.jpg", subset="Train")
    )
    assert recognise(root).splits() == ["Train", "Val"]
    assert [sample.image_id for sample in read_cvat(root, "Train").samples] == ["a", "c"]
    assert code_of(lambda: read_cvat(root, "test"), "Train, Val") == "SPLIT_MISSING"


def test_what_is_outside_a_tag_or_an_outline_is_left_out_and_told(tmp_path):
    polygon = "<polygon label='cat' points='1,1;2,2'/>"
    nodes = (box(), box(outside=1), box(corners=(1, 1, 9, 9), occluded=1), "<tag label='dog'/>", polygon)
    data = read_cvat(export(tmp_path, image(*nodes), image("<tag label='dog'/>", name="b.jpg")), "default")
    assert [len(sample.truth) for sample in data.samples] == [2, 0]
    assert sorted(codes(data)) == ["BOX_HIDDEN", "SHAPE_IGNORED", "TAG_IGNORED"]
    assert "2 of kind tag" in next(one.message for one in data.findings if one.code == "TAG_IGNORED")
    assert [sample.exhaustive for sample in data.samples] == [False, True]


def test_turned_boxes_become_the_box_around_them(tmp_path):
    data = read_cvat(export(tmp_path, image(box(corners=(10, 20, 50, 30), rotation=90.0))), "default")
    assert data.samples[0].truth.boxes.coordinates.tolist() == [pytest.approx([25, 5, 35, 45], abs=1e-4)]
    assert codes(data) == ["BOX_ROTATED"]


def test_labels_that_the_file_does_not_tell_are_those_that_occur(tmp_path):
    assert read_cvat(export(tmp_path, image(box("b"), box("a")), labels=""), "default").labels.names == ("a", "b")
    assert code_of(lambda: read_cvat(export(tmp_path, image(), labels=""), "default")) == "LABELS_MISSING"


# FAULTS 26, 27, 30, 31, 33, 34, 37, 39, 45: one bad box or image does not hide the others.
@pytest.mark.parametrize(
    ("bad", "code", "part"),
    [
        (image(box(corners=(1, 1, "x", 9)), name="b.jpg", number=7), "ANN_BAD_NUMBER", "image 7, element 1, xbr"),
        (image(box(corners=(1, 1, "nan", 9)), name="b.jpg", number=7), "ANN_BAD_NUMBER", "xbr"),
        (image(box(corners=(1, 1, 1e30, 9)), name="b.jpg", number=7), "ANN_BAD_NUMBER", "image 7, element 1 (cat)"),
        (image("<box label='cat'/>", name="b.jpg", number=7), "ANN_MISSING_FIELD", "image 7, element 1, xtl"),
        (image(name="b.jpg", size=Size(0, 5), number=7), "SIZE_MISMATCH", "image 7"),
        (image(box("bird"), name="b.jpg", number=7), "CLASS_UNKNOWN", "image 7, element 1"),
        (image(number=7), "DUPLICATE_ID", "image 7"),
        (image(name="../b.jpg", number=7), "PATH_ESCAPE", "image 7"),
        ("<image id='7'/>", "PATH_ESCAPE", "image 7"),
    ],
)
def test_bad_images(tmp_path, bad, code, part):
    root = export(tmp_path, image(box()), bad)
    assert code_of(lambda: read_cvat(root, "default"), part) == code
    findings = Findings(collected=True)
    data = read_cvat(root, "default", findings)
    assert [(one.code, part in one.place) for one in findings] == [(code, True)]
    assert len(data.samples[0].truth) == 1


def test_degenerate_and_outside_boxes_are_mended_as_everywhere(tmp_path):
    nodes = (box(corners=(9, 9, 9, 20)), box(corners=(190, 10, 230, 20)))
    data = read_cvat(export(tmp_path, image(*nodes)), "default")
    assert (codes(data), len(data.samples[0].truth)) == (["BOX_DEGENERATE", "BOX_OUTSIDE"], 1)


# FAULTS 43
def test_hostile_files(tmp_path):
    root = export(tmp_path, image(box()), labels='<!DOCTYPE x [<!ENTITY a "b">]>')
    assert code_of(lambda: read_cvat(root, "default"), "annotations.xml:2:") == "ANN_PARSE"
    (root / "annotations.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><annotations>&a;</annotations>')
    assert code_of(lambda: read_dataset(root, "default"), "DOCTYPE") == "ANN_PARSE"
    track = "<track id='0' label='cat'><box frame='0' xtl='1' ytl='1' xbr='2' ybr='2'/></track>"
    assert code_of(lambda: read_cvat(export(tmp_path, track), "default"), "CVAT for images 1.1") == "ANN_PARSE"
    assert code_of(lambda: read_cvat(tmp_path / "none.xml", "default")) == "ANN_UNREADABLE"
