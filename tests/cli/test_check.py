"""`check`: every planted fault is found, nothing else is called an error, and nothing stops it."""

import json

import pytest
from faulty_trees import write_faulty
from hostile import photo
from PIL import Image
from shared_data import SHARED, needs_shared
from tiny_voc import annotation, devkit, thing
from tiny_yolo import write_picture, write_tree

LINE = "1 0.5 0.5 0.1 0.2\n"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The faulty data sets, and what is planted in each."""
    root = tmp_path_factory.mktemp("faulty")
    return root, write_faulty(root)


@pytest.fixture
def check(cli):
    """Exit status and JSON of a check."""

    def run(*arguments):
        result = cli("check", *arguments, "--json", "--quiet", "--threads", 1)
        return result.exit_code, json.loads(result.stdout)

    return run


def is_planted(finding, one):
    text = f"{finding['place']} {finding['message']}"
    return finding["code"] == one.code and one.file in finding["file"] and one.place in text


# FAULTS 26 to 48 (42 and 32 below): a folder with one of each.
@pytest.mark.parametrize("name", ["voc", "coco", "yolo", "zero_based", "in_pixels", "all_negative", "nothing_to_read"])
def test_each_planted_fault_is_found_and_no_error_is_false(planted, check, name):
    root, faults = planted
    status, report = check(root / name)
    for one in faults[name]:
        assert any(is_planted(finding, one) for finding in report["findings"]), one
    errors = [finding for finding in report["findings"] if finding["level"] == "error"]
    for finding in errors:
        assert any(is_planted(finding, one) for one in faults[name]), finding
    assert status == (3 if errors else 0)
    assert report["counts"]["error"] == len(errors)
    assert all(finding["fix"] and finding["message"] for finding in report["findings"])


def test_the_planted_faults_are_those_of_the_list(planted):
    numbers = {one.fault for planted in planted[1].values() for one in planted}
    assert numbers >= {*range(26, 49)} - {32, 42}


# FAULTS 32, 33, 42, 44: floats, a missing difficult, crowds and Windows' line ends are no faults.
def test_what_is_unusual_but_right_is_not_told(planted, check):
    root, _ = planted
    for name, files in {"voc": ("good.xml", "ignored.xml"), "yolo": ("good.txt", "negative.txt")}.items():
        report = check(root / name)[1]
        assert [one for one in report["findings"] if one["file"].endswith(files)] == []
    splits = {name: check(root / name)[1]["splits"][name == "coco"] for name in ("voc", "coco")}
    assert [splits[name]["ignored"] for name in splits] == [1, 1]
    assert splits["voc"]["classes"][1] == {"name": "dog", "objects": 2, "ignored": 1, "images": 1}


def test_a_sound_data_set_passes(check, tmp_path):
    root = write_tree(
        tmp_path, {f"{number}": "0 .5 .5 .2 .2\n" * (number < 3) for number in range(4)}, "names: [cat]\n"
    )
    for number in range(4):
        Image.fromarray(photo(40 + 5 * number, 60)).save(root / "images/train" / f"{number}.jpg")
    status, report = check(root)
    assert status == 0
    assert {one["code"] for one in report["findings"]} == {"CLASS_RARE", "IMG_NEGATIVE"}
    assert report["layout"] == "yolo"
    split = report["splits"][0]
    assert (split["images"], split["negatives"], split["objects"]) == (4, 1, 3)
    assert check(root, "--strict")[0] == 3  # the warning counts


def test_levels_decide_the_status(check, tmp_path):
    root = write_tree(tmp_path, {"a": LINE + "1 0.5 0.5 1 1\n", "b": LINE + "0 .2 .2 .01 .01\n"})
    status, report = check(root)
    assert (status, report["counts"]["error"]) == (0, 0)
    assert {one["level"] for one in report["findings"] if one["code"] in ("BOX_LARGE", "BOX_SMALL")} == {"info"}
    (root / "images/train/b.jpg").write_bytes(b"")
    assert check(root)[0] == 3


def test_without_images_no_picture_is_missed_or_opened(check, tmp_path):
    devkit(tmp_path, {name: annotation(thing("dog", (1, 1, 50, 50))) for name in "ab"})
    status, report = check(tmp_path, "--no-images")
    assert (status, {one["code"] for one in report["findings"]}) == (0, {"CLASS_RARE"})
    status, report = check(tmp_path)
    assert status == 3
    assert [one["code"] for one in report["findings"]].count("IMG_MISSING") == 2


def test_splits_are_all_or_those_asked_for(cli, check, tmp_path):
    for split in ("train", "val", "trainval"):
        devkit(tmp_path, {name: annotation() for name in ("ab" if split == "trainval" else split[0])}, split)
    assert [split["name"] for split in check(tmp_path, "--no-images")[1]["splits"]] == ["train", "val"]
    asked = check(tmp_path, "--no-images", "--split", "trainval")[1]
    assert [(split["name"], split["images"]) for split in asked["splits"]] == [("trainval", 2)]
    result = cli("check", tmp_path, "--split", "test")
    assert result.exit_code == 3
    assert "SPLIT_MISSING" in result.stderr
    assert "train, trainval, val" in result.stderr


def test_a_folder_per_class(check, tmp_path):
    for split, names in {"train": "abc", "val": "cd"}.items():
        for number, name in enumerate(names):
            write_picture(tmp_path / split / ("cat" if number % 2 else "dog") / f"{name}.jpg")
    (tmp_path / "val/cat/broken.jpg").write_bytes(b"<html>")
    status, report = check(tmp_path)
    assert (status, report["layout"]) == (3, "folders")
    told = {(one["code"], one["file"].rpartition("/")[2]) for one in report["findings"] if one["level"] == "error"}
    assert told == {("IMG_UNRECOGNISED", "broken.jpg"), ("SPLIT_LEAK", "c.jpg")}
    assert [row["images"] for row in report["splits"][0]["classes"]] == [1, 2]


def test_what_is_no_data_set_at_all(cli, tmp_path):
    for name, code in (("none", "DATA_MISSING"), ("empty", "DATA_UNRECOGNISED"), ("half", "DATA_UNRECOGNISED")):
        if name != "none":
            (tmp_path / name).mkdir()
        if name == "half":  # VOC without its lists is no folder per class
            write_picture(tmp_path / "half/JPEGImages/a.jpg")
            (tmp_path / "half/Annotations").mkdir()
            (tmp_path / "half/Annotations/a.xml").write_text(annotation())
        result = cli("check", tmp_path / name)
        assert result.exit_code == 3
        assert result.stderr.startswith(f"error: {code}: ")


def test_a_long_list_is_folded_by_rule(cli, tmp_path):
    root = write_tree(tmp_path, {f"p{number}": "1 0.5 0.5 0 0\n" for number in range(6)})
    short = cli("check", root, "--quiet").stdout.splitlines()
    assert any(line.startswith("error BOX_DEGENERATE, 6x: ") for line in short)
    assert sum("was dropped" in line for line in short) == 3
    assert "  and 3 more (--all)" in short
    whole = cli("check", root, "--quiet", "--all").stdout.splitlines()
    assert sum("was dropped" in line for line in whole) == 6
    assert not any("--all" in line for line in whole)


def test_out_is_the_json_and_is_not_replaced_unasked(cli, check, tmp_path):
    root = write_tree(tmp_path / "data", {"a": LINE, "b": LINE})
    assert cli("check", root, "--out", tmp_path / "report.json", "--quiet").exit_code == 0
    assert json.loads((tmp_path / "report.json").read_text()) == check(root)[1]
    again = cli("check", root, "--out", tmp_path / "report.json")
    assert (again.exit_code, again.stderr.split(":")[1].strip()) == (2, "OUT_EXISTS")
    assert cli("check", root, "--out", tmp_path / "report.json", "--overwrite", "--quiet").exit_code == 0


def test_equal_data_gives_equal_bytes_with_any_threads(cli, planted):
    root, _ = planted
    outputs = {cli("check", root / "voc", "--json", "--quiet", "--threads", threads).stdout for threads in (1, 4)}
    assert len(outputs) == 1


@needs_shared
@pytest.mark.parametrize(("name", "images", "boxes"), [("VOCdevkit", 5011, 12_608), ("ilsvrc_det", 9917, 26_782)])
def test_no_false_alarm_on_the_annotations_of_voc_2007_and_ilsvrc(check, name, images, boxes):
    status, report = check(SHARED / name, "--no-images")
    assert status == 0
    assert {one["level"] for one in report["findings"]} == {"info"}
    assert sum(split["images"] for split in report["splits"]) == images
    assert sum(split["objects"] for split in report["splits"]) == boxes


@needs_shared
@pytest.mark.slow
def test_no_false_alarm_on_the_pictures_of_voc_2007(check):
    status, report = check(SHARED / "VOCdevkit")
    assert (status, report["counts"]["error"]) == (0, 0)
    assert [one["code"] for one in report["findings"] if one["level"] == "warning"] == ["IMG_TWICE"] * 3  # they are


def test_the_data_is_left_as_it_was(cli, planted, tmp_path):
    root, _ = planted
    before = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    for name in ("voc", "coco", "yolo"):
        cli("check", root / name, "--fix", tmp_path / name, "--quiet")
    assert {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()} == before
