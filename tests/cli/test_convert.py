"""`convert`: as many images and boxes on the other side, whatever the layouts."""

import json
from itertools import pairwise

import pytest
from command_errors import codes
from tiny_coco import instances, write_instances
from tiny_cvat import box, export, image
from tiny_voc import annotation, devkit, thing
from tiny_yolo import write_picture, write_tree

from googlenet_rcnn.datasets.tree import read_dataset, recognise

LINE = "1 0.5 0.5 0.1 0.2\n"


@pytest.fixture
def kit(tmp_path):
    """A devkit with two splits, an empty image in each, and pictures."""
    for split, names in {"train": "ba", "val": "cd"}.items():
        things = thing("dog", (2, 3, 50, 60)), thing("cat", (9, 9, 20, 20.5))
        xml = {names[0]: annotation(*things), names[1]: annotation()}
        devkit(tmp_path / "kit", xml, split)
        for name in names:
            write_picture(tmp_path / "kit/VOC2007/JPEGImages" / f"{name}.jpg")
    return tmp_path / "kit"


# FAULTS 49
def test_around_three_layouts_nothing_is_lost(cli, kit, tmp_path):
    places = [kit, *(tmp_path / name for name in ("coco", "yolo", "voc"))]
    for source, target in pairwise(places):
        result = cli("convert", source, "--to", target.name, "--out", target)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.splitlines()[1].split() == ["train", "2", "1", "2"]
    for split in ("train", "val"):
        one, other = (read_dataset(place, split) for place in (kit, tmp_path / "voc"))
        assert other.labels == one.labels
        by_id = {sample.image_id: sample for sample in other.samples}
        assert [sample.image_id for sample in other.samples] == sorted(by_id)  # YOLO's order is that of the names
        for sample in one.samples:
            back = by_id[sample.image_id]
            assert back.path.read_bytes() == sample.path.read_bytes()
            assert back.truth.labels.tolist() == sample.truth.labels.tolist()
            difference = abs(back.truth.boxes.coordinates - sample.truth.boxes.coordinates)
            assert difference.max(initial=0) < 0.01


def test_an_export_becomes_a_data_set(cli, tmp_path):
    root = export(tmp_path / "cvat", image(box()), image(name="b.jpg", number=1))
    for name in "ab":
        write_picture(root / "images" / f"{name}.jpg")
    assert cli("convert", root, "--to", "yolo", "--out", tmp_path / "yolo").exit_code == 0
    data = read_dataset(tmp_path / "yolo", "default")
    assert [len(sample.truth) for sample in data.samples] == [1, 0]
    assert data.labels.names == ("dog", "cat")
    again = cli("convert", root / "annotations.xml", "--to", "coco", "--out", tmp_path / "coco", "--images", "link")
    assert again.exit_code == 0
    assert recognise(tmp_path / "coco").splits() == ["default"]


def test_what_the_format_cannot_say_is_told(cli, tmp_path):
    xml = {"a": annotation(thing("dog", (2, 3, 50, 60), "<difficult>1</difficult>"), thing("dog", (9, 9, 300, 20)))}
    devkit(tmp_path / "kit", xml)
    write_picture(tmp_path / "kit/VOC2007/JPEGImages/a.jpg")
    result = cli("convert", tmp_path / "kit", "--to", "yolo", "--out", tmp_path / "yolo")
    assert result.exit_code == 0
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["BOX_OUTSIDE", "IGNORE_LOST"]


def test_images_none_writes_annotations_alone(cli, kit, tmp_path):
    for path in kit.rglob("*.jpg"):
        path.unlink()
    for to in ("voc", "coco", "yolo"):
        assert cli("convert", kit, "--to", to, "--out", tmp_path / to, "--images", "none").exit_code == 0, to
    assert not list(tmp_path.glob("*/**/*.jpg"))
    assert len((tmp_path / "yolo/labels/train/b.txt").read_text().splitlines()) == 2
    result = cli("convert", kit, "--to", "voc", "--out", tmp_path / "more")
    assert (result.exit_code, codes(result)) == (3, ["IMG_MISSING"])


def test_one_split_after_the_other_joins_them(cli, kit, tmp_path):
    for split in ("train", "val"):
        assert cli("convert", kit, "--to", "coco", "--out", tmp_path / "coco", "--split", split).exit_code == 0
    assert recognise(tmp_path / "coco").splits() == ["train", "val"]


def test_what_is_refused_leaves_nothing(cli, kit, tmp_path):
    (tmp_path / "file").touch()
    for more, code in (
        (("--to", "csv", "--out", tmp_path / "x"), "FLAG_VALUE"),
        (("--to", "voc", "--out", tmp_path / "x", "--images", "move"), "FLAG_VALUE"),
        (("--to", "voc", "--out", kit / "x"), "OUT_IN_DATA"),
        (("--to", "voc", "--out", tmp_path / "file" / "x"), "OUT_UNWRITABLE"),
        (("--to", "voc", "--out", tmp_path / "x", "--split", "test"), "SPLIT_MISSING"),
    ):
        result = cli("convert", kit, *more)
        assert codes(result) == [code]
        assert result.exit_code == (3 if code == "SPLIT_MISSING" else 2)
    assert not (tmp_path / "x").exists()
    assert cli("convert", kit, "--to", "voc", "--out", tmp_path / "x").exit_code == 0
    assert codes(cli("convert", kit, "--to", "voc", "--out", tmp_path / "x")) == ["OUT_EXISTS"]


def test_pictures_of_one_name_in_two_splits_do_not_overwrite_each_other(cli, tmp_path):
    for split, size in (("train", 200), ("val", 300)):
        write_tree(tmp_path / "yolo", {"a": LINE}, split=split)
        write_picture(tmp_path / "yolo/images" / split / "a.jpg", size)
    result = cli("convert", tmp_path / "yolo", "--to", "voc", "--out", tmp_path / "voc")
    assert (result.exit_code, codes(result)) == (3, ["DUPLICATE_ID"])
    assert not (tmp_path / "voc").exists()
    assert cli("convert", tmp_path / "yolo", "--to", "coco", "--out", tmp_path / "coco").exit_code == 0


def test_splits_with_other_classes_are_not_mixed(cli, tmp_path):
    for split, names in (("train", ["cat", "dog"]), ("val", ["dog", "cat"])):
        write_instances(tmp_path / "coco", instances(categories=names), f"annotations/instances_{split}.json")
    result = cli("convert", tmp_path / "coco", "--to", "voc", "--out", tmp_path / "voc")
    assert (result.exit_code, codes(result)) == (3, ["LABELS_DIFFER"])


def test_the_first_fault_stops_it(cli, kit, tmp_path):
    (kit / "VOC2007/Annotations/b.xml").write_text("<annotation>")
    result = cli("convert", kit, "--to", "coco", "--out", tmp_path / "coco")
    assert (result.exit_code, codes(result)) == (3, ["ANN_PARSE"])
    assert not (tmp_path / "coco").exists()


def test_counts_that_differ_are_an_error(cli, kit, tmp_path, monkeypatch):
    from googlenet_rcnn.datasets import layout_writer

    monkeypatch.setattr(layout_writer, "write_coco", lambda data, path, overwrite: write_empty(path))
    result = cli("convert", kit, "--to", "coco", "--out", tmp_path / "coco")
    assert (result.exit_code, codes(result)) == (3, ["COUNTS_DIFFER"])


def write_empty(path):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}))
