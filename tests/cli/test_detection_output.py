"""`detect --format`: what each format leaves behind, and what is refused before the work."""

import json
import sys

import numpy as np
import pytest
from command_errors import codes
from result_formats import needs

from googlenet_rcnn.api import weights_files
from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.voc_synsets import VOC_SYNSETS
from googlenet_rcnn.eval.results import read_results

OUTPUTS = {"coco": "f.json", "ilsvrc": "f.txt", "csv": "f.csv", "parquet": "f.parquet", "voc": "voc", "yolo": "yolo"}
FILES = ("coco", "ilsvrc", "csv", "parquet")
every_format = pytest.mark.parametrize("kind", OUTPUTS)


@pytest.fixture(autouse=True)
def _classes(stub, monkeypatch):
    """The stub's colours under names that VOC has: a red picture is an aeroplane, a green one a bottle."""
    named(stub, monkeypatch, "aeroplane", "bottle", "cow")


def named(stub, monkeypatch, *names):
    stub.labels = LabelSet(names)
    monkeypatch.setattr(weights_files, "weight_labels", lambda weights: stub.labels)


def as_dataset(ids, names=("aeroplane", "bottle", "cow"), class_ids=None):
    nothing = GroundTruth(Boxes.empty(Size(20, 30)), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))
    return Dataset(LabelSet(names, class_ids), tuple(Sample(one, None, nothing) for one in ids))


def found_rows(table):
    values = (table.image_index, table.label, table.score, map(tuple, table.boxes.round(2)))
    return sorted(zip(*(list(column) for column in values), strict=True))


@every_format
def test_every_format_says_what_the_rows_say(detect, album, tmp_path, kind):
    needs(kind)
    data = as_dataset("abc")
    assert detect(album, "--out", tmp_path / "rows.jsonl").exit_code == 0
    assert detect(album, "--out", tmp_path / OUTPUTS[kind], "--format", kind).exit_code == 0
    expected = found_rows(read_results(tmp_path / "rows.jsonl", data).table)
    if kind == "ilsvrc":
        expected = [(image, label, score, box) for image, label, score, box in expected if label != 1]
        data = as_dataset("abc", class_ids=(2, 999, 39))
    found = found_rows(read_results(tmp_path / OUTPUTS[kind], data).table)
    assert len(found) == (4 if kind == "ilsvrc" else 6)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert np.allclose([row[2] for row in found], [row[2] for row in expected], rtol=1e-6)
    assert np.allclose([row[3] for row in found], [row[3] for row in expected], atol=0.011)


@every_format
def test_an_interrupted_run_is_continued_and_leaves_only_its_output(detect, stub, album, tmp_path, kind):  # FAULTS 83
    needs(kind)
    arguments = (album, tmp_path / "gone.jpg", "--out", tmp_path / "out" / OUTPUTS[kind], "--format", kind)
    stub.after = 1
    assert detect(*arguments).exit_code == 130
    stub.after = 10**9
    assert detect(*arguments).exit_code == 4
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left == {"coco": ["f.images.json", "f.json"]}.get(kind, [OUTPUTS[kind]])
    assert read_results(tmp_path / "out" / OUTPUTS[kind], as_dataset(["a", "b", "c", "gone"], class_ids=(2, 1, 39)))
    refused = detect(*arguments)
    assert (refused.exit_code, codes(refused)) == (2, ["OUT_EXISTS"])
    assert detect(*arguments, "--overwrite").exit_code == 4


@every_format
def test_an_output_that_cannot_be_is_refused_before_the_work(detect, stub, album, tmp_path, kind):  # FAULTS 82
    needs(kind)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    out = tmp_path / ("folder" if kind in FILES else "file")
    for place in (out, tmp_path / "file" / "below", *([] if kind in FILES else [album / "out"])):
        result = detect(album, "--out", place, "--format", kind)
        assert result.exit_code == 2, result.stderr
    picture = album / "a.png"
    before = picture.read_bytes()
    result = detect(picture, "--out", picture, "--format", kind, "--overwrite")
    assert (result.exit_code, codes(result)) == (2, ["OUT_IS_INPUT"])
    assert codes(detect(picture, "--out", picture, "--overwrite")) == ["OUT_IS_INPUT"]
    assert codes(detect(album, "--format", kind)) == ["OUT_MISSING"]
    assert (stub.calls, picture.read_bytes(), (tmp_path / "file").read_text()) == ([], before, "mine")


def test_an_unknown_format_is_refused_with_those_that_are_known(detect, stub, album, tmp_path):
    result = detect(album, "--out", tmp_path / "x", "--format", "xml")
    assert (result.exit_code, codes(result)) == (2, ["FORMAT_UNKNOWN"])
    assert all(kind in result.stderr for kind in OUTPUTS)
    assert stub.calls == []


def test_coco_numbers_are_the_names_or_the_places_and_written_down(detect, picture, tmp_path):
    for names, numbers in ((("000012", "000007"), [7, 12]), (("a", "7"), [1, 2])):
        for name in names:
            picture(tmp_path / "-".join(names) / f"{name}.png")
        out = tmp_path / "-".join(names) / "found.json"
        assert detect(tmp_path / "-".join(names), "--out", out, "--format", "coco").exit_code == 0
        assert [row["image_id"] for row in json.loads(out.read_text())] == sorted(2 * numbers)
        beside = json.loads(out.with_name("found.images.json").read_text())
        assert [one["id"] for one in beside["images"]] == numbers
        assert [one["image_id"] for one in beside["images"]] == sorted(names)
        assert beside["categories"][1] == {"id": 2, "name": "bottle"}
        table = read_results(out, as_dataset(["z", *names[::-1]])).table  # found again in a set in another order
        assert sorted(table.image_index.tolist()) == [1, 1, 2, 2]


def test_ilsvrc_leaves_out_and_says_what_det_does_not_have(detect, album, tmp_path):
    result = detect(tmp_path / "gone.jpg", album, "--out", tmp_path / "f.txt", "--format", "ilsvrc")
    assert result.exit_code == 4
    assert "note: 2 detections of bottle are left out" in result.stderr
    rows = [line.split() for line in (tmp_path / "f.txt").read_text().splitlines()]
    # Image numbers are places in the list given, 2 = a.png; 2 is airplane, 39 cattle.
    assert [row[:2] for row in rows] == [["2", "2"], ["2", "2"], ["4", "39"], ["4", "39"]]


def test_ilsvrc_knows_vocs_classes_synsets_and_no_colours(detect, stub, album, tmp_path, monkeypatch):
    from googlenet_rcnn.cli.detection_output import det_numbers

    det = [entry.partition(" ")[2] for entry in load_labels("ilsvrc_det").names]
    voc = load_labels("voc20")
    numbers = det_numbers(voc)
    assert {voc.names[label] for label in range(20)} - {voc.names[label] for label in numbers} == {
        "bottle",
        "pottedplant",
    }
    assert {name for name in voc.names if name in VOC_SYNSETS} == {voc.names[label] for label in numbers}
    named_by = {voc.names[label]: det[number - 1] for label, number in numbers.items()}
    assert (named_by["person"], named_by["cow"], named_by["tvmonitor"]) == ("person", "cattle", "tv or monitor")
    assert det_numbers(LabelSet(("n02672831", "zebra"))) == {0: 1, 1: 200}
    named(stub, monkeypatch, "red", "green", "blue")
    result = detect(album, "--out", tmp_path / "f.txt", "--format", "ilsvrc")
    assert (result.exit_code, codes(result), stub.calls) == (2, ["CLASS_UNKNOWN"], [])


def listed(path, *rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def test_ilsvrc_numbers_images_as_the_tasks_list_does(detect, album, tmp_path):
    numbers = listed(tmp_path / "val2.txt", "c 10033", "other 1", "folder/a 287", "", "b 16")
    out = ("--format", "ilsvrc", "--out", tmp_path / "f.txt", "--numbers", numbers)
    assert detect(album, *out).exit_code == 0
    rows = [line.split() for line in (tmp_path / "f.txt").read_text().splitlines()]
    assert [row[:2] for row in rows] == [["287", "2"], ["287", "2"], ["10033", "39"], ["10033", "39"]]


def test_a_run_may_be_continued_with_the_right_list(detect, stub, album, tmp_path):
    out = (album, "--format", "ilsvrc", "--out", tmp_path / "f.txt", "--numbers")
    stub.after = 1
    assert detect(*out, listed(tmp_path / "wrong.txt", "a 1", "b 2", "c 3")).exit_code == 130
    stub.after = 10**9
    assert detect(*out, listed(tmp_path / "right.txt", "a 4", "b 5", "c 6")).exit_code == 0
    assert {line.split()[0] for line in (tmp_path / "f.txt").read_text().splitlines()} == {"4", "6"}


@pytest.mark.parametrize(
    ("rows", "code", "part"),
    [
        (["a 1", "b 2"], "IMAGE_UNKNOWN", "image c"),
        (["a 1", "b 2", "c 1"], "DUPLICATE_ID", "one number"),
        (["a 1", "b 2", "c"], "LIST_BAD_ROW", "list.txt:3"),
        (["a 1", "b 0", "c 3"], "LIST_BAD_ROW", "list.txt:2"),
        (["a 1", "b 2 x", "c 3"], "LIST_BAD_ROW", "'b 2 x'"),
        (None, "LIST_UNREADABLE", "list.txt"),
    ],
)
def test_a_list_that_does_not_number_every_image_is_refused_before_the_work(
    detect, stub, album, tmp_path, rows, code, part
):
    path = tmp_path / "list.txt" if rows is None else listed(tmp_path / "list.txt", *rows)
    result = detect(album, "--format", "ilsvrc", "--out", tmp_path / "f.txt", "--numbers", path)
    assert (result.exit_code, codes(result), stub.calls) == (2, [code], [])
    assert part in result.stderr
    assert not (tmp_path / "f.txt").exists()


def test_numbers_are_of_ilsvrc_only(detect, stub, album, tmp_path):
    numbers = listed(tmp_path / "list.txt", "a 1", "b 2", "c 3")
    for format in ((), ("--format", "coco")):
        result = detect(album, *format, "--out", tmp_path / "f.json", "--numbers", numbers)
        assert (result.exit_code, codes(result), stub.calls) == (2, ["FLAG_VALUE"], [])


def test_yolo_needs_a_name_for_each_image(detect, stub, picture, tmp_path):
    for names, code in (
        (("x/a.png", "y/A.png"), "ID_TAKEN"),
        (("classes.png",), "ID_TAKEN"),
        (("x" * 220,), "ID_TOO_LONG"),
    ):
        paths = [picture(tmp_path / name) for name in names]
        result = detect(*paths, "--out", tmp_path / "yolo", "--format", "yolo")
        assert (result.exit_code, codes(result)) == (2, [code])
    assert stub.calls == []


def test_yolo_has_a_file_for_each_image_that_was_read(detect, album, tmp_path):
    detect(album, tmp_path / "gone.jpg", "--out", tmp_path / "yolo", "--format", "yolo", "--score-threshold", "1.0")
    names = sorted(path.name for path in (tmp_path / "yolo").iterdir())
    assert names == ["a.txt", "b.txt", "c.txt", "classes.txt", "detections.jsonl"]


def test_parquet_without_pyarrow_is_refused_before_the_work(detect, stub, album, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = detect(album, "--out", tmp_path / "f.parquet", "--format", "parquet")
    assert (result.exit_code, codes(result), stub.calls) == (2, ["EXTRA_MISSING"], [])
