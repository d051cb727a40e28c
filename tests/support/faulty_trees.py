"""Data sets with one of each fault of annotations in them, and what a check must say of each."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from hostile import half_jpeg, with_orientation
from PIL import Image
from tiny_coco import instances, thing, write_instances
from tiny_voc import annotation, devkit
from tiny_voc import thing as voc_thing
from tiny_yolo import write_picture, write_tree

from googlenet_rcnn.core.types import Size


class Planted(NamedTuple):
    """A fault by its number in the list of faults: its code, and what file and place (or message) must hold."""

    fault: int
    code: str
    file: str = ""
    place: str = ""


def write_faulty(root: Path) -> dict[str, list[Planted]]:
    """Writes a data set for each layout below `root`; what is planted, by the name of its folder."""
    makers = (voc, coco, yolo, zero_based, in_pixels, all_negative, nothing_to_read)
    return {maker.__name__: maker(root / maker.__name__) for maker in makers}


def voc(root: Path) -> list[Planted]:
    """A devkit with two splits."""
    good = voc_thing("cat", (10, 10, 60, 60))
    many = [voc_thing("cat", (1 + x, 1 + 9 * y, 8 + x, 9 + 9 * y)) for x in range(31) for y in range(10)]
    train = {
        "good": annotation(good, voc_thing("dog", (10.5, 11.25, 60, 60.5)), voc_thing("dog", (70, 10, 90, 60), "")),
        "ignored": annotation(good, voc_thing("dog", (1, 1, 9, 9), "<difficult>1</difficult>")),
        "negative": annotation(),
        "degenerate": annotation(voc_thing("cat", (30, 30, 20, 40)), good),
        "outside": annotation(voc_thing("cat", (150, 50, 260, 90)), voc_thing("cat", (300, 30, 320, 40)), good),
        "numbers": annotation(voc_thing("cat", (1, "nan", 2, 2)), voc_thing("cat", (1, 1, "1e30", 2)), good),
        "words": annotation(voc_thing("cat", ("left", 1, 2, 2)), good),
        "no_box": annotation("<object><name>cat</name></object>", good),
        "no_name": annotation(voc_thing("", (1, 1, 9, 9)), good),
        "no_size": f"<annotation>{good}</annotation>",
        "size_zero": annotation(good, size=Size(0, 200)),
        "size_other": annotation(good, size=Size(100, 210)),
        "size_turned": annotation(voc_thing("cat", (1, 1, 9, 9)), size=Size(20, 40)),
        "no_picture": annotation(good),
        "unknown": annotation(voc_thing("Cat", (10, 10, 60, 60)), good),
        "twice": annotation(good, good),
        "broken": "<annotation>\n<size></annotation>",
        "entity": '<!DOCTYPE x [<!ENTITY a "b">]><annotation>&a;</annotation>',
        "escapes": annotation(good, filename="../../secret.jpg"),
        "large": annotation(voc_thing("cat", (1, 1, 200, 100))),
        "small": annotation(voc_thing("cat", (5, 5, 6, 60))),
        "many": annotation(*many),
        "no_xml": "",
        "cut": annotation(good),
    }
    val = {
        "seen": annotation(good),
        "alike": annotation(good),
        "copied": annotation(voc_thing("horse", (5, 5, 50, 50))),
    }
    devkit(root, train)
    devkit(root, val | {"good": train["good"]}, "val")
    year = root / "VOC2007"
    (year / "labels.txt").write_text("cat\ndog\nhorse\n")
    (year / "Annotations" / "no_xml.xml").unlink()
    with (year / "ImageSets/Main/train.txt").open("a") as file:
        file.write("good\n../../secret\n")
    pictures = year / "JPEGImages"
    for name in (*train, *val):
        write_picture(pictures / f"{name}.jpg")
    (pictures / "no_picture.jpg").unlink()
    (pictures / "cut.jpg").write_bytes(half_jpeg())
    (pictures / "size_turned.jpg").write_bytes(with_orientation(6))
    shutil.copy(pictures / "outside.jpg", pictures / "copied.jpg")
    Image.open(pictures / "twice.jpg").resize((200, 100)).save(pictures / "alike.jpg", quality=60)
    return [
        Planted(26, "BOX_DEGENERATE", "degenerate.xml", "object 1 (cat)"),
        Planted(27, "BOX_OUTSIDE", "outside.xml", "object 1 (cat)"),
        Planted(27, "BOX_DEGENERATE", "outside.xml", "object 2 (cat)"),
        Planted(30, "ANN_BAD_NUMBER", "numbers.xml", "object 1/bndbox/ymin"),
        Planted(30, "ANN_BAD_NUMBER", "numbers.xml", "object 2 (cat)"),
        Planted(31, "ANN_BAD_NUMBER", "words.xml", "object 1/bndbox/xmin"),
        Planted(33, "ANN_MISSING_FIELD", "no_box.xml", "object 1/bndbox"),
        Planted(33, "ANN_MISSING_FIELD", "no_name.xml", "object 1/name"),
        Planted(33, "ANN_MISSING_FIELD", "no_size.xml", "size"),
        Planted(34, "SIZE_MISMATCH", "size_zero.xml", "size"),
        Planted(34, "SIZE_MISMATCH", "size_other.jpg", "200x100 as displayed, annotated as 210x100"),
        Planted(34, "SIZE_MISMATCH", "size_turned.jpg", "EXIF"),
        Planted(35, "ANN_MISSING", "no_xml.xml"),
        Planted(35, "IMG_MISSING", "no_picture.jpg"),
        Planted(35, "IMG_NEGATIVE", "", "1 of 24 images"),
        Planted(37, "CLASS_UNKNOWN", "unknown.xml", "did you mean 'cat'?"),
        Planted(38, "DUPLICATE_BOX", "twice.jpg", "box 2 (cat)"),
        Planted(39, "DUPLICATE_ID", "train.txt", "line 25"),
        Planted(43, "ANN_PARSE", "broken.xml", "line 2:"),
        Planted(43, "ANN_PARSE", "entity.xml", "DOCTYPE"),
        Planted(45, "PATH_ESCAPE", "escapes.xml", "filename"),
        Planted(45, "PATH_ESCAPE", "train.txt", "line 26"),
        Planted(46, "SPLIT_LEAK", "good.jpg", "in both splits"),
        Planted(46, "SPLIT_LEAK", "copied.jpg", "the same file as"),
        Planted(46, "SPLIT_LEAK", "alike.jpg", "looks the same as"),
        Planted(47, "CLASS_RARE", "", "dog"),
        Planted(47, "CLASS_UNSEEN", "", "horse"),
        Planted(48, "BOX_LARGE", "large.jpg", "box 1 (cat)"),
        Planted(48, "BOX_SMALL", "small.jpg", "box 1 (cat)"),
        Planted(48, "MANY_BOXES", "many.jpg", "310 boxes"),
        Planted(4, "IMG_TRUNCATED", "cut.jpg"),
    ]


def coco(root: Path) -> list[Planted]:
    """Instances files: one with a fault in many places, one that is no JSON, one with NaN."""
    rows = [
        thing(1),
        thing(2, (10, 20, 0, 40)),
        thing(3, (190, 20, 30, 40)),
        thing(4, (1, 2, 3, 10**400), 11),
        thing(5, (1, 2, 3), 11),
        thing(6, (1, "2", 3, 4), 11),
        thing(7, ..., 11),
        thing(8, (50, 20, 30, 40), iscrowd=...),
        thing(9, (51, 20, 30, 40), area=[1, 2]),
        thing(9, (52, 20, 30, 40)),
        thing(11, image=99),
        thing(12, category=99),
        thing(13, (53, 20, 30, 40), iscrowd=1),
        thing(14, (1, 2, -3, 4), 11),
        thing(15),
    ]
    content = instances(rows, images=4)
    content["categories"].append({"id": 9, "name": " cat "})
    content["images"][2] |= {"width": 0}
    content["images"] += [
        {"id": 20, "file_name": "../../secret.jpg", "width": 5, "height": 5},
        {"id": 10, "file_name": "other.jpg", "width": 5, "height": 5},
        dict(content["images"][1]),
    ]
    write_instances(root, content, "annotations/instances_train.json")
    write_instances(root, "{'images': []}", "annotations/instances_val.json")
    write_instances(root, json.dumps(instances()).replace("200", "NaN"), "annotations/instances_test.json")
    for number in range(4):
        write_picture(root / "train" / f"00000{number}.jpg")
    train = "instances_train.json"
    return [
        Planted(26, "BOX_DEGENERATE", train, "annotations[1] (cat)"),
        Planted(27, "BOX_OUTSIDE", train, "annotations[2] (cat)"),
        Planted(30, "ANN_BAD_NUMBER", train, "annotations[3].bbox[3]"),
        Planted(30, "ANN_BAD_NUMBER", "instances_test.json", "NaN"),
        Planted(31, "ANN_BAD_FIELD", train, "annotations[4].bbox"),
        Planted(31, "ANN_BAD_FIELD", train, "annotations[5].bbox[1]"),
        Planted(33, "ANN_MISSING_FIELD", train, "annotations[6].bbox"),
        Planted(34, "SIZE_MISMATCH", train, "images[2]"),
        Planted(37, "DUPLICATE_CLASS", train, "categories[2].name"),
        Planted(38, "DUPLICATE_BOX", "000000.jpg", "box 7 (cat)"),
        Planted(39, "DUPLICATE_ID", train, "images[5].id"),
        Planted(39, "DUPLICATE_ID", train, "images[6]"),
        Planted(39, "ANN_DEFAULTED", train, "annotations[9].id"),
        Planted(40, "ANN_UNKNOWN_ID", train, "annotations[10].image_id"),
        Planted(40, "ANN_UNKNOWN_ID", train, "annotations[11].category_id"),
        Planted(41, "ANN_DEFAULTED", train, "annotations[7].iscrowd"),
        Planted(41, "ANN_DEFAULTED", train, "annotations[8].area"),
        Planted(26, "BOX_NEGATIVE", train, "annotations[13].bbox"),
        Planted(43, "ANN_PARSE", "instances_val.json", "line 1:2"),
        Planted(45, "PATH_ESCAPE", train, "images[4].file_name"),
    ]


def yolo(root: Path) -> list[Planted]:
    """A tree whose lines are wrong in every way, and one without a fault."""
    line = "1 0.5 0.5 0.1 0.2\n"
    texts = {
        "good": line.replace("\n", "\r\n") + "\n",
        "negative": "",
        "columns": line + "1 0.5 0.5 0.1\n1 .1 .1 .2 .2 .9\n" + "1,0.5,0.5,0.1,0.2\n",
        "names": "dog 0.5 0.5 0.1 0.2\n" + line,
        "beyond": "2 .5 .5 .1 .1\n" + line,
        "numbers": "1 nan 0.5 0.1 0.2\n1 0.5 1e30 0.1 0.2\n" + line,
        "inverted": "1 0.5 0.5 -0.1 0.2\n" + line,
        "outside": "0 0 0.5 0.1 0.2\n0 3 3 0.1 0.1\n0 0.5 0.5 0 0.2\n",
        "no_text": None,
    }
    write_tree(root, texts)
    (root / "labels/train/no_picture.txt").write_text(line)
    write_tree(root, {"seen": line, "inverted": line}, split="val")
    shutil.copy(root / "images/train/good.jpg", root / "images/val/seen.jpg")
    write_picture(root / "images/val/inverted.jpg", 190, 90)  # another picture of the same name: no fault
    return [
        Planted(44, "ANN_COLUMNS", "columns.txt", "line 2"),
        Planted(44, "ANN_COLUMNS", "columns.txt", "line 3"),
        Planted(44, "ANN_COLUMNS", "columns.txt", "separate with spaces"),
        Planted(44, "CLASS_NOT_A_NUMBER", "names.txt", "line 1"),
        Planted(37, "CLASS_UNKNOWN", "beyond.txt", "line 1"),
        Planted(30, "ANN_BAD_NUMBER", "numbers.txt", "line 1"),
        Planted(30, "ANN_BAD_NUMBER", "numbers.txt", "line 2"),
        Planted(26, "BOX_NEGATIVE", "inverted.txt", "line 1"),
        Planted(27, "BOX_OUTSIDE", "outside.txt", "line 1"),
        Planted(27, "BOX_DEGENERATE", "outside.txt", "line 2"),
        Planted(26, "BOX_DEGENERATE", "outside.txt", "line 3"),
        Planted(35, "ANN_MISSING", "no_text.txt"),
        Planted(35, "IMG_MISSING", "no_picture.txt"),
        Planted(46, "SPLIT_LEAK", "seen.jpg", "the same file as"),
    ]


def zero_based(root: Path) -> list[Planted]:
    """A devkit whose corners count from 0."""
    devkit(root, {name: annotation(voc_thing("cat", (0, 0, 150, 99 - row))) for row, name in enumerate("ab")})
    for name in "ab":
        write_picture(root / "VOC2007/JPEGImages" / f"{name}.jpg")
    return [Planted(28, "VOC_ZERO_BASED", "Annotations", "2 of 2 boxes")]


def in_pixels(root: Path) -> list[Planted]:
    """YOLO texts with pixels where shares are meant."""
    lines = "".join(f"0 {x} {y} 40 30\n" for x in (30, 90, 160) for y in (20, 50, 80))
    write_tree(root, {"a": lines, "b": ""})
    boxes = [Planted(29, "BOX_DEGENERATE", "a.txt", f"line {line}") for line in range(1, 10)]
    return [
        Planted(29, "BOX_FORMAT_SUSPECT", "train", "centre width height in pixels"),
        *boxes,
        Planted(36, "NO_OBJECTS"),
    ]


def all_negative(root: Path) -> list[Planted]:
    """Pictures without a single object."""
    write_tree(root, {"a": "", "b": ""})
    return [Planted(36, "NO_OBJECTS", "", "2 images")]


def nothing_to_read(root: Path) -> list[Planted]:
    """A single picture to learn from."""
    write_tree(root, {"a": "0 0.5 0.5 0.1 0.2\n"})
    return [Planted(47, "FEW_IMAGES", "", "1 images")]
