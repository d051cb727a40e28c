"""`explain` with a detector that knows colours and proposes three boxes."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import stub_detector
from command_errors import codes
from hostile import encoded, write
from PIL import Image
from stub_parts import MovingClassifier
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.core.types import Size

SIZE = Size(40, 60)
RED, SHIFTED, GREEN = (10, 10, 30, 30), (10, 14, 30, 34), (35, 5, 55, 25)
HARD = "<difficult>1</difficult>"


def voc(name, box, extra="<difficult>0</difficult>"):
    """The XML of an object with a half-open box."""
    x1, y1, x2, y2 = box
    return thing(name, (x1 + 1, y1 + 1, x2, y2), extra)


@pytest.fixture
def photo(tmp_path):
    """A red and a green square on grey."""
    pixels = np.full((*SIZE, 3), 128, dtype=np.uint8)
    for (x1, y1, x2, y2), colour in ((RED, (255, 0, 0)), (GREEN, (0, 255, 0))):
        pixels[y1:y2, x1:x2] = colour
    return write(tmp_path, "000001.png", encoded(pixels, "PNG"))


@pytest.fixture
def explain(cli, monkeypatch, photo, tmp_path):
    """Explains the picture for some objects, given as an XML file or as a data set."""
    stub_detector.install(monkeypatch.setattr, rows=(RED, SHIFTED, GREEN))

    def run(objects, *flags, as_data=False, image=photo):
        xml = annotation(*objects, size=SIZE)
        if as_data:
            devkit(tmp_path / "kit", {"000001": xml}, split="val")
            (tmp_path / "kit" / "VOC2007" / "labels.txt").write_text("green\nred\nblue\nyellow\n")
            where = ("--data", tmp_path / "kit", "--split", "val")
        else:
            where = ("--truth", write(tmp_path, "truth.xml", xml.encode()))
        still = ("--box-voting", "1")  # so that boxes are where they were proposed
        return cli("explain", "--image", image, *where, "--mode", "exhaustive", *still, "--threads", "1", *flags)

    return run


OBJECTS = (
    voc("red", RED),
    voc("green", (35, 5, 55, 24), HARD),
    voc("blue", GREEN),
    voc("blue", (0, 0, 9, 9)),
    voc("red", (10, 17, 30, 37)),
)


@pytest.mark.parametrize("as_data", [False, True])
def test_each_object_has_its_fate(explain, photo, as_data):
    """From an XML file and from a data set whose labels are in another order."""
    result = explain(OBJECTS, as_data=as_data)
    assert (result.exit_code, result.stderr) == (0, "")
    row = json.loads(result.stdout)
    assert (row["image_id"], row["path"], row["width"], row["height"]) == ("000001", str(photo), 60, 40)
    assert (row["proposals"], row["detections"]) == (3, 2)
    objects = row["objects"]
    assert [one["label"] for one in objects] == ["red", "green", "blue", "blue", "red"]
    assert [one["difficult"] for one in objects] == [False, True, False, False, False]
    assert [one["fate"] for one in objects] == [
        "found", "found", "scored low", "no proposal over 0.5", "suppressed by NMS",
    ]  # fmt: skip
    found, _, low, far, suppressed = objects
    assert found["box"] == list(map(float, RED))
    score = found["best"].pop("score")
    assert found["best"] == {"label": "red", "box": list(map(float, RED)), "overlap": 1.0}
    assert found["cause"] is None
    assert (low["best"]["score"], low["best"]["overlap"]) == (0.0, 1.0)
    assert far["best"]["overlap"] == 0.0
    assert suppressed["best"]["box"] == list(map(float, SHIFTED))
    assert suppressed["best"]["score"] == pytest.approx(0.8 * score, abs=0.01)  # four rows in five are red
    assert suppressed["rank"] == 2
    assert suppressed["cause"]["box"] == list(map(float, RED))


def test_thresholds_are_those_of_detection(explain):
    loose = OBJECTS[4:]
    assert json.loads(explain(loose).stdout)["objects"][0]["fate"] == "outscored by a loose box"
    kept = json.loads(explain(loose, "--nms-iou", "0.7").stdout)["objects"][0]
    assert (kept["fate"], kept["best"]["box"]) == ("found", list(map(float, SHIFTED)))
    assert json.loads(explain(loose, "--nms-iou", "0.7", "--max-detections", "1").stdout)["objects"][0]["fate"] == (
        "over the limit of detections"
    )
    high = json.loads(explain(loose, "--score-threshold", "0.9").stdout)["objects"][0]
    assert high["fate"] == "scored low"


@pytest.mark.parametrize(("flags", "overlap"), [((), 1.0), (("--no-box-regression",), 2 / 3)])
def test_objects_are_where_box_regression_moves_proposals(explain, monkeypatch, flags, overlap):
    stub_detector.install(monkeypatch.setattr, MovingClassifier(), rows=(SHIFTED,))
    best = json.loads(explain(OBJECTS[:1], *flags).stdout)["objects"][0]["best"]
    assert best["box"] == pytest.approx(SHIFTED if flags else RED, abs=0.01)
    assert best["overlap"] == pytest.approx(overlap, abs=1e-3)


def test_a_detection_is_where_box_voting_puts_it(explain):
    alone, voted = (
        json.loads(explain(OBJECTS[:1], *flags).stdout)["objects"][0]["best"] for flags in ((), ("--box-voting", "0.5"))
    )
    assert alone["box"] == list(map(float, RED))
    assert RED[1] < voted["box"][1] < SHIFTED[1]
    assert (voted["box"][0], voted["box"][2], voted["score"]) == (RED[0], RED[2], alone["score"])


def test_an_image_without_objects_is_told_so(explain, tmp_path):
    row = json.loads(explain((), "--draw", tmp_path / "out.jpg").stdout)
    assert (row["objects"], row["proposals"]) == ([], 3)
    assert (tmp_path / "out.jpg").is_file()


def test_the_terminal_gets_a_table(process, photo, tmp_path):
    truth = write(tmp_path, "truth.xml", annotation(*OBJECTS, size=SIZE).encode())
    code = f"import stub_detector; stub_detector.install(rows={(RED, SHIFTED, GREEN)})\n"
    code += "import sys; sys.stdout.isatty = lambda: True"
    flags = ("--truth", truth, "--mode", "exhaustive", "--box-voting", "1", "--threads", "1")
    result = process("explain", "--image", photo, *flags, code=code)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].endswith("000001.png  60x40, 3 proposals, 2 detections, 5 objects")
    assert lines[1].split()[:3] == ["1", "red", "found"]
    assert "2 green (difficult)  found" in lines[2]
    assert "rank 2 of its class, overlap 0.74; lost to red 0." in lines[5]
    assert lines[5].endswith("at x 10..30  y 10..30")


def test_a_picture_is_drawn_once(explain, tmp_path):
    """FAULTS 82."""
    path = tmp_path / "new" / "fates.jpg"
    assert explain(OBJECTS, "--draw", path).exit_code == 0
    with Image.open(path) as picture:
        assert (picture.format, picture.width) == ("JPEG", 960)
    before = path.read_bytes()
    result = explain(OBJECTS, "--draw", path)
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert explain(OBJECTS[:1], "--draw", path, "--overwrite").exit_code == 0
    assert path.read_bytes() != before
    result = explain(OBJECTS, "--draw", tmp_path / "fates.png")
    assert (result.exit_code, codes(result)) == (2, ["FLAG_VALUE"])


def test_truth_is_asked_for_once(cli, photo, tmp_path):
    for flags in (
        [],
        ["--data", tmp_path],
        ["--split", "val"],
        ["--data", tmp_path, "--split", "val", "--truth", tmp_path / "x.xml"],
        ["--truth", tmp_path / "x.xml", "--split", "val"],
    ):
        result = cli("explain", "--image", photo, *flags)
        assert (result.exit_code, codes(result)) == (2, ["TRUTH_MISSING"]), flags


def test_truth_that_does_not_fit_is_named(explain, photo, tmp_path):
    """FAULTS 33, 34, 37, 43."""
    result = explain((voc("yellow", RED),))
    assert (result.exit_code, codes(result)) == (3, ["CLASS_UNKNOWN"])
    result = explain((voc("yellow", RED),), as_data=True)
    assert (result.exit_code, codes(result)) == (3, ["CLASS_UNKNOWN"])
    other = write(tmp_path, "000002.png", photo.read_bytes())
    result = explain(OBJECTS, as_data=True, image=other)
    assert (result.exit_code, codes(result)) == (3, ["IMAGE_UNKNOWN"])
    small = write(tmp_path, "000003.png", encoded(np.zeros((9, 9, 3), dtype=np.uint8), "PNG"))
    result = explain(OBJECTS, image=small)
    assert (result.exit_code, codes(result)) == (3, ["SIZE_MISMATCH"])
    result = explain(OBJECTS, "--truth", write(tmp_path, "bad.xml", b"<annotation>"))
    assert (result.exit_code, codes(result)) == (3, ["ANN_PARSE"])
    result = explain(OBJECTS, "--truth", tmp_path / "none.xml")
    assert (result.exit_code, codes(result)) == (3, ["ANN_MISSING"])
    result = explain(OBJECTS, image=write(tmp_path, "000001.jpg", b""))
    assert (result.exit_code, codes(result)) == (3, ["IMG_EMPTY"])


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--mode", "slow"], "MODE_UNKNOWN"),
        (["--method", "magic"], "METHOD_UNKNOWN"),
        (["--nms-iou", "2"], "FLAG_VALUE"),
        (["--threads", "0"], "FLAG_VALUE"),
    ],
)
def test_wrong_flags_are_status_2(explain, flags, code):
    result = explain(OBJECTS, *flags)
    assert (result.exit_code, codes(result)) == (2, [code])


def test_proposals_come_from_a_file_too(explain, tmp_path):
    row = {
        "schema": 1, "image_id": "000001", "path": "x", "width": 60, "height": 40, "status": "ok",
        "boxes": [[0, 0, 60, 40]], "scores": [1.0], "sources": ["ss"],
    }  # fmt: skip
    write(tmp_path, "boxes.jsonl", (json.dumps(row) + "\n").encode())
    found = json.loads(explain(OBJECTS[:1], "--method", tmp_path / "boxes.jsonl").stdout)
    assert found["proposals"] == 1
    assert found["objects"][0]["fate"] == "no proposal over 0.5"


def test_what_fast_mode_passes_over_is_told(cli, monkeypatch, photo, tmp_path):
    """The cascade lets the first box through, which is not that of the object."""
    from googlenet_rcnn.api import build

    stub_detector.install(monkeypatch.setattr, rows=((0, 0, 60, 40), (8, 8, 52, 32), GREEN))
    exhaustive = build.build_detector

    def with_cascade(*arguments, **flags):
        screen = SimpleNamespace(probabilities=lambda image, boxes: np.ones((len(boxes), 4)), vote=0.0)
        first = SimpleNamespace(
            choose=lambda boxes, probabilities: np.arange(min(1, len(boxes))),
            unscored=lambda probabilities: np.eye(4, dtype=np.float32)[[0] * len(probabilities)],
        )
        return replace(exhaustive(*arguments), screen=screen, cascade=first)

    monkeypatch.setattr(build, "build_detector", with_cascade)
    truth = write(tmp_path, "truth.xml", annotation(voc("green", (8, 8, 52, 32)), size=SIZE).encode())
    result = cli("explain", "--image", photo, "--truth", truth, "--threads", "1")
    assert json.loads(result.stdout)["objects"][0]["fate"] == "not scored in fast mode"
