"""`check --fix`: a corrected copy, checked again, and the original left alone."""

import json

import pytest
from command_errors import codes
from faulty_trees import write_faulty
from tiny_coco import instances, thing, write_instances
from tiny_voc import annotation, devkit
from tiny_voc import thing as voc_thing
from tiny_yolo import write_picture, write_tree

from googlenet_rcnn.datasets.tree import read_dataset

GOOD = "1 0.5 0.5 0.1 0.2\n"


@pytest.fixture
def fix(cli, tmp_path):
    """Exit status and lines of a check that mends into `copy`."""

    def run(root, *more):
        result = cli("check", root, "--fix", tmp_path / "copy", "--quiet", "--threads", 1, *more)
        return result.exit_code, result.stdout.splitlines()

    return run


# FAULTS 26, 27, 38: what can be mended is, and then nothing is left.
def test_a_yolo_tree_with_what_can_be_mended(fix, tmp_path):
    root = write_tree(tmp_path / "data", {"a": GOOD + GOOD + "0 0 .5 .1 .2\n0 .5 .5 0 .2\n", "b": "", "c": GOOD})
    status, lines = fix(root)
    assert status == 0
    for line in (
        "boxes without area dropped: 1",
        "boxes clipped to their image: 1",
        "train: boxes that were there twice removed: 1",
        f"{tmp_path / 'copy'} checked: 0 errors, 2 warnings, 1 note left",
    ):
        assert line in lines
    back = read_dataset(tmp_path / "copy", "train")
    assert [sample.image_id for sample in back.samples] == ["a", "b", "c"]
    assert [len(sample.truth) for sample in back.samples] == [2, 0, 1]
    assert back.samples[0].truth.boxes.coordinates.tolist()[1] == [0, 40, 10, 60]
    assert back.findings == ()


# FAULTS 28, 33, 34, 39, 41: fields that lack are filled in.
def test_missing_fields_are_filled_in(fix, tmp_path):
    content = instances([thing(0, iscrowd=..., area=...), thing(0, bbox=(1, 2, 3, 4), image=11, area=12)])
    content["images"][1] |= {"width": -1}
    root = write_instances(tmp_path / "data", content)
    for image in content["images"]:
        write_picture(root / "train2017" / image["file_name"])
    assert fix(root, "--images", "link")[0] == 0
    written = json.loads((tmp_path / "copy/annotations/instances_train2017.json").read_text())
    assert [(row["id"], row["iscrowd"], row["area"]) for row in written["annotations"]] == [(1, 0, 1200), (2, 0, 12)]
    assert [(row["width"], row["height"]) for row in written["images"]] == [(200, 100)] * 2
    assert (tmp_path / "copy/train2017/000000.jpg").is_symlink()


# FAULTS 28
def test_corners_from_zero_are_counted_from_one(fix, tmp_path):
    root = devkit(tmp_path / "data", {name: annotation(voc_thing("cat", (0, 0, 150, 99))) for name in "ab"})
    for name in "ab":
        write_picture(root / "VOC2007/JPEGImages" / f"{name}.jpg")
    status, lines = fix(root)
    assert (status, "splits with corners from 0 now counted from 1: 1" in lines) == (0, True)
    assert "<xmin>1</xmin><ymin>1</ymin><xmax>151</xmax><ymax>100</ymax>" in (
        tmp_path / "copy/Annotations/a.xml"
    ).read_text().replace("\n", "")
    same = [read_dataset(place, "train").samples[0].truth.boxes for place in (root, tmp_path / "copy")]
    assert same[0].coordinates.tolist() == same[1].coordinates.tolist()


def test_what_nobody_can_mend_is_left_out_or_told_again(fix, tmp_path):
    root = tmp_path / "faulty"
    write_faulty(root)
    status, lines = fix(root / "voc")
    assert status == 3
    assert any(line.startswith("train: 1 left out (SIZE_MISMATCH): size_other") for line in lines)
    copy = lines.index(f"{tmp_path / 'copy'} checked: 3 errors, 2 warnings, 5 notes left")
    assert {line.split(",")[0] for line in lines[copy:] if line.startswith("error")} == {
        "error CLASS_UNSEEN", "error SPLIT_LEAK"
    }  # fmt: skip
    assert "train: images whose boxes were turned as EXIF turns the picture: 1" in lines
    kept = {sample.image_id for sample in read_dataset(tmp_path / "copy", "train").samples}
    assert kept >= {"good", "ignored", "negative", "degenerate", "outside", "twice", "many", "size_turned"}
    assert not kept & {"numbers", "no_box", "unknown", "broken", "size_other", "cut", "no_picture"}


def test_an_image_with_an_object_of_an_unknown_class_does_not_become_a_negative(fix, tmp_path):
    root = write_tree(tmp_path / "data", {"a": GOOD, "b": "7 .5 .5 .1 .1\n", "c": GOOD, "d": "cat .5 .5 .1 .1\n"})
    assert fix(root)[0] == 0
    assert [sample.image_id for sample in read_dataset(tmp_path / "copy", "train").samples] == ["a", "c"]


def test_a_split_that_cannot_be_read_is_told_and_the_others_are_written(fix, tmp_path):
    write_faulty(tmp_path / "faulty")
    status, lines = fix(tmp_path / "faulty/coco")
    assert "val: not in the copy, since it could not be read" in lines
    assert [sample.image_id for sample in read_dataset(tmp_path / "copy", "train").samples] == ["000002", "000003"]
    assert status == 3
    assert any(line.startswith("error NO_OBJECTS") for line in lines)


def test_what_is_refused_before_any_work(cli, tmp_path):
    root = write_tree(tmp_path / "data", {"a": GOOD, "b": GOOD})
    (tmp_path / "file").touch()
    for target, more, code in (
        (root / "copy", (), "OUT_IN_DATA"),
        (tmp_path, (), "OUT_IN_DATA"),
        (tmp_path / "file", (), "OUT_UNWRITABLE"),
        (tmp_path / "copy", ("--no-images",), "FLAG_VALUE"),
        (tmp_path / "copy", ("--images", "move"), "FLAG_VALUE"),
        (tmp_path / "copy", ("--threads", 0), "FLAG_VALUE"),
    ):
        result = cli("check", root, "--fix", target, *more)
        assert (result.exit_code, codes(result)) == (2, [code]), code
    assert not (tmp_path / "copy").exists()
    assert cli("check", root, "--fix", tmp_path / "copy", "--quiet").exit_code == 0
    assert codes(cli("check", root, "--fix", tmp_path / "copy")) == ["OUT_EXISTS"]
    assert cli("check", root, "--fix", tmp_path / "copy", "--overwrite", "--quiet").exit_code == 0


def test_layouts_that_are_not_written_are_refused(cli, tmp_path):
    for split in ("train/cat", "train/dog"):
        write_picture(tmp_path / "data" / split / "a.jpg")
    result = cli("check", tmp_path / "data", "--fix", tmp_path / "copy")
    assert (result.exit_code, codes(result)) == (2, ["FIX_UNSUPPORTED"])


def test_with_json_the_lines_go_elsewhere(cli, tmp_path):
    root = write_tree(tmp_path / "data", {"a": GOOD, "b": GOOD})
    result = cli("check", root, "--fix", tmp_path / "copy", "--json", "--quiet")
    assert json.loads(result.stdout)["schema"] == 1
    assert "checked: 0 errors" in result.stderr
