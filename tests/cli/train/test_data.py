"""Which images train and which validate, for each layout, and what of it is said or refused."""

import json
import shutil

import numpy as np
import pytest
import tiny_cvat
import tiny_label_studio as studio
from data_faults import code_of
from hostile import encoded, photo, write
from tiny_coco import instances, write_instances
from tiny_coco import thing as coco_thing
from tiny_voc import annotation, devkit, thing
from tiny_yolo import write_picture, write_tree

from googlenet_rcnn.cli.train.data import check_training_data, choose_training_data
from googlenet_rcnn.core.types import Size

CAT, DOG = "0 0.5 0.5 0.4 0.4\n", "1 0.4 0.5 0.4 0.4\n"


SIZE = Size(60, 80)


def voc(root, split, names, things=("cat", "dog"), size=SIZE):
    """A split of a devkit with pictures, an object each."""
    xml = {
        name: annotation(thing(things[number % len(things)], (10, 10, 50, 45)), size=size)
        for number, name in enumerate(names)
    }
    devkit(root, xml, split=split)
    for name in names:
        turned = np.roll(photo(), 7 * sum(name.encode()), axis=1)
        write(root / "VOC2007" / "JPEGImages", f"{name}.jpg", encoded(turned, "JPEG"))
    return root


def chosen(root, split=None, holdout=None, seed=0):
    """Name, and sorted image ids of both sides."""
    data = choose_training_data(root, split, holdout, seed)
    sides = [None if one is None else sorted(s.image_id for s in one.samples) for one in (data.train, data.validation)]
    return data.name, *sides


NAMES = [f"p{number}" for number in range(10)]


def test_train_is_validated_on_val_where_both_are_there(tmp_path):
    root = voc(voc(voc(tmp_path / "kit", "train", NAMES[:6]), "val", NAMES[6:]), "trainval", NAMES)
    assert chosen(root) == ("kit train", NAMES[:6], NAMES[6:])
    assert chosen(root / "VOC2007") == ("VOC2007 train", NAMES[:6], NAMES[6:])
    # A split or a share that is given says all: no val then.
    assert chosen(root, "trainval") == ("kit trainval", NAMES, None)
    assert chosen(root, "val") == ("kit val", NAMES[6:], None)
    assert chosen(root, holdout=0.0) == ("kit train", NAMES[:6], None)
    name, train, held = chosen(root, holdout=0.5)
    assert (name, sorted(train + held), len(held)) == ("kit train without 3 of 6 images", NAMES[:6], 3)


@pytest.mark.parametrize("split", ["train", "trainval", "val"])
def test_a_split_that_is_alone_gives_a_fifth(tmp_path, split):
    root = voc(tmp_path / "kit", split, NAMES)
    name, train, held = chosen(root)
    assert name == f"kit {split} without 2 of 10 images"
    assert (sorted(train + held), len(held)) == (NAMES, 2)
    assert chosen(root) == (name, train, held)
    assert any(chosen(root, seed=seed)[2] != held for seed in range(1, 5))
    assert chosen(root, holdout=0.0) == (f"kit {split}", NAMES, None)
    assert chosen(root, split) == (f"kit {split}", NAMES, None)
    assert len(chosen(root, split, 0.3)[2]) == 3


def test_yolo_and_coco_trees_and_a_single_file(tmp_path):
    texts = {name: CAT if number % 2 else DOG for number, name in enumerate(NAMES)}
    root = write_tree(tmp_path / "yolo", texts)
    assert len(chosen(root)[2]) == 2
    # Roboflow's names: valid for val, folders of splits on top.
    shutil.move(root / "images" / "train", root / "images" / "x")
    for split, names in (("train", NAMES[:6]), ("valid", NAMES[6:])):
        write_tree(tmp_path / "boxes", {n: texts[n] for n in names}, split=split, home="{}/images")
    assert chosen(tmp_path / "boxes") == ("boxes train", NAMES[:6], NAMES[6:])
    things = [coco_thing(number + 1, image=10 + number) for number in range(5)]
    file = tmp_path / "coco" / "annotations" / "instances_default.json"
    write_instances(tmp_path / "coco", instances(things, images=5), "annotations/instances_default.json")
    for data, name in ((tmp_path / "coco", "coco default"), (file, file.name)):
        found, train, held = chosen(data)
        assert found == f"{name} without 1 of 5 images"
        assert len(train + held) == 5
    for split in ("train", "val"):
        write_instances(tmp_path / "two", instances(things, images=5), f"annotations/instances_{split}2017.json")
    assert len(chosen(tmp_path / "two")[2]) == 5


def test_exports_of_annotation_tools(tmp_path):
    images = [tiny_cvat.image(tiny_cvat.box(), name=f"{number}.jpg", number=number) for number in range(5)]
    root = tiny_cvat.export(tmp_path / "cvat", *images)
    for data in (root, root / "annotations.xml"):
        assert chosen(data)[0] == f"{data.name} default without 1 of 5 images"
    tasks = [studio.task(studio.rectangle(), image=f"{number}.jpg") for number in range(5)]
    file = studio.export(tmp_path / "studio", *tasks)
    assert chosen(file)[0] == "export.json without 1 of 5 images"
    assert chosen(file.parent)[0] == "studio default without 1 of 5 images"


def test_what_cannot_be_chosen(tmp_path):
    root = voc(tmp_path / "kit", "other", NAMES)
    assert code_of(lambda: chosen(root), "other", "--split") == "SPLIT_MISSING"
    assert chosen(root, "other")[1] == NAMES
    assert code_of(lambda: chosen(tmp_path / "none"), "none") == "DATA_MISSING"
    for share in (-0.1, 1.0, 20.0):
        assert code_of(lambda share=share: chosen(root, holdout=share), "--holdout") == "FLAG_VALUE"
    for split, names in (("train", ("cat", "dog")), ("val", ("dog", "cat"))):
        content = instances([coco_thing()], categories=names)
        write_instances(tmp_path / "two", content, f"annotations/instances_{split}.json")
    assert code_of(lambda: chosen(tmp_path / "two"), "classes") == "LABELS_DIFFER"


def checked(root, **how):
    """The data after the check, and what was said."""
    said = []
    data = choose_training_data(root, how.get("split"), how.get("holdout"), 0)
    return check_training_data(data, said.append), said


def test_rare_classes_are_named_and_warnings_counted(tmp_path):
    root = write_tree(tmp_path / "yolo", dict.fromkeys(NAMES[:6], CAT + CAT), split="train")
    data, said = checked(root, split="train")
    assert data.validation is None
    assert said[0].startswith("warning: DUPLICATE_BOX: ")
    assert said[0].endswith(" (and 5 more)")
    assert said[1] == "note: classes with fewer than 10 objects to learn from: dog (0)"
    assert len(said) == 2


def test_many_rare_classes_are_cut_short(tmp_path):
    _, said = checked(voc(tmp_path / "kit", "train", NAMES), split="train")
    assert said == [
        "note: classes with fewer than 10 objects to learn from: aeroplane (0), bicycle (0), bird (0), boat (0), "
        "bottle (0) and 15 more"
    ]


def test_errors_stop_with_the_first_in_the_line_and_others_above(tmp_path):
    root = voc(tmp_path / "kit", "train", NAMES, size=Size(61, 80))
    said = []
    data = choose_training_data(root, "train", None, 0)
    code = code_of(lambda: check_training_data(data, said.append), "p0.jpg", "80x60", "first of 10 errors in kit train")
    assert code == "SIZE_MISMATCH"
    assert [line.split(": ")[:2] for line in said] == [["also", "SIZE_MISMATCH"]] * 4
    (root / "VOC2007" / "JPEGImages" / "p1.jpg").unlink()
    assert code_of(lambda: checked(root), "p1.jpg") == "IMG_MISSING"


def test_a_class_that_only_val_shows_is_refused(tmp_path):
    root = voc(voc(tmp_path / "kit", "train", NAMES[:6], ("cat",)), "val", NAMES[6:], ("cat", "dog"))
    assert code_of(lambda: checked(root), "dog") == "CLASS_UNSEEN"


def test_pictures_on_both_sides_do_not_validate(tmp_path):
    root = voc(voc(tmp_path / "kit", "train", NAMES[:6]), "val", NAMES[6:])
    pictures = root / "VOC2007" / "JPEGImages"
    pictures.joinpath("p7.jpg").write_bytes(pictures.joinpath("p2.jpg").read_bytes())
    data, said = checked(root)
    left = [sample.image_id for sample in data.validation.samples]
    assert "p7" not in left
    assert set(left) <= set(NAMES[6:])
    assert any(line.startswith("note: ") and "validation images are left out" in line for line in said)
    assert [sample.image_id for sample in data.train.samples] == NAMES[:6]


def test_where_every_picture_is_on_both_sides_nothing_validates(tmp_path):
    root = voc(voc(tmp_path / "kit", "train", NAMES[:4]), "val", NAMES[4:6])
    pictures = root / "VOC2007" / "JPEGImages"
    for name in NAMES[4:6]:
        pictures.joinpath(f"{name}.jpg").write_bytes(pictures.joinpath("p0.jpg").read_bytes())
    data, said = checked(root)
    assert data.validation is None
    assert any("2 of 2 validation images" in line for line in said)


def test_val_of_one_picture_without_rare_classes_is_no_fault(tmp_path):
    root = write_tree(tmp_path / "yolo", dict.fromkeys(NAMES[:6], CAT), split="train")
    write_tree(root, {"v": ""}, split="val")
    write_picture(root / "images" / "val" / "v.jpg", 300, 100)
    assert json.dumps(checked(root)[1]).count("CLASS") == 0
