"""`evaluate classification` with a classifier that knows colours, and with real networks."""

import json

import numpy as np
import pytest
from colour_eye import COLOURS, ColourEye
from command_errors import codes
from hostile import fill_folder, half_jpeg, write
from shared_data import SHARED, needs_shared

from googlenet_rcnn.backbone import classifier as module
from googlenet_rcnn.backbone.classifier import Classifier
from googlenet_rcnn.core.images import read_image


@pytest.fixture
def eye(monkeypatch):
    eye = ColourEye()
    monkeypatch.setattr(module, "Classifier", eye)
    return eye


@pytest.fixture(scope="session")
def colour_file(tmp_path_factory, checkpoint):
    return checkpoint(tmp_path_factory.mktemp("w") / "colours.safetensors", task="classifier", labels=COLOURS)


@pytest.fixture
def data(tmp_path, picture):
    """Five pictures, of which one red one is in the green folder."""
    root = tmp_path / "data"
    for place, colour in (
        ("red/a", "red"),
        ("red/b", "red"),
        ("green/c", "green"),
        ("green/d", "red"),
        ("Blue/e", "blue"),
    ):
        picture(root / f"{place}.png", colour)
    return root


@pytest.fixture
def evaluate(cli, data, colour_file):
    def run(*flags, weights=None, root=data):
        return cli(
            "evaluate", "classification", "--data", root, "--weights", weights or colour_file, "--threads", "1", *flags
        )

    return run


def without_times(path):
    return [{key: row[key] for key in row if key != "ms"} for row in map(json.loads, path.read_text().splitlines())]


def test_accuracy_worked_out_by_hand(evaluate, eye):
    result = evaluate("--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert [found[key] for key in ("images", "failed", "crops", "models", "pool")] == [5, 0, 1, 1, "mean"]
    assert (found["top1"], found["top5"]) == (0.8, 1)
    assert found["classes"]["green"] == {"images": 2, "top1": 0.5, "top5": 1}
    assert found["confusions"] == [{"label": "green", "taken_for": "red", "images": 1}]
    assert set(found["ms"]) == {"decode", "classify"}
    assert eye.asked == [(1, False)] * 5


def test_report_has_figures_and_predictions_and_the_console_a_table(evaluate, eye, tmp_path, colour_file):
    result = evaluate("--report", tmp_path / "new" / "report", "--crops", "144", "--max-pool", "--weights", colour_file)
    assert result.exit_code == 0
    folder = tmp_path / "new" / "report"
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.json", "predictions.jsonl"]
    found = json.loads((folder / "metrics.json").read_text())
    assert [found[key] for key in ("crops", "models", "pool", "top1")] == [144, 2, "max", 0.8]
    assert "top-1 0.8000   top-5 1.0000   (5 images, 144 crops, 2 models)" in result.stdout
    assert eye.asked == [(144, True)] * 5
    assert eye.paths == [colour_file, colour_file]
    rows = without_times(folder / "predictions.jsonl")
    assert [row["image_id"] for row in rows] == ["Blue/e", "green/c", "green/d", "red/a", "red/b"]
    assert rows[2]["label"] == "green"
    assert [one["label"] for one in rows[2]["top"]] == ["red", "green", "blue"]
    assert sum(one["score"] for one in rows[2]["top"]) == pytest.approx(1)


def test_first_images_and_a_split(evaluate, eye, data):
    assert json.loads(evaluate("--first", "2").stdout)["classes"].keys() == {"blue", "green"}
    data.rename(data.parent / "val")
    found = json.loads(evaluate("--split", "val", root=data.parent).stdout)
    assert (found["images"], found["top1"]) == (5, 0.8)


def test_unreadable_images_are_counted_apart(evaluate, eye, data, tmp_path):
    """FAULTS 1, 2, 4, 6, 8, 9, 22: a row for each, the others go on, status 4."""
    expected = fill_folder(data / "red")
    images = (".jpg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif")
    expected = {name: code for name, code in expected.items() if name.endswith(images) and name != "gone.jpg"}
    expected.pop("folder.jpg")  # a folder in a class folder is one to look into
    result = evaluate("--report", tmp_path / "report")
    assert result.exit_code == 4
    found = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (found["images"], found["failed"], found["top1"]) == (5, len(expected), 0.8)
    rows = without_times(tmp_path / "report" / "predictions.jsonl")
    assert {row["path"].rpartition("/")[2]: row["code"] for row in rows if row["status"] == "failed"} == expected
    assert all((row["label"], row["top"]) == ("red", []) for row in rows if row["status"] == "failed")
    assert f"note: {len(expected)} images could not be read" in result.stderr


def test_a_cut_image_can_be_salvaged(evaluate, eye, data):
    """FAULTS 4."""
    write(data / "red", "half.jpg", half_jpeg())
    assert evaluate().exit_code == 4
    result = evaluate("--truncated", "salvage")
    assert (result.exit_code, json.loads(result.stdout)["images"]) == (0, 6)


def test_no_readable_image_is_status_3(evaluate, eye, tmp_path):
    (tmp_path / "bad" / "red").mkdir(parents=True)
    write(tmp_path / "bad" / "red", "a.jpg", b"")
    result = evaluate(root=tmp_path / "bad")
    assert (result.exit_code, codes(result)) == (3, ["IMG_EMPTY"])
    found = json.loads(result.stdout)
    assert (found["images"], found["failed"], found["top1"], found["ms"]) == (0, 1, None, {})


def test_a_stopped_run_goes_on_where_it_was(evaluate, eye, tmp_path):
    """FAULTS 60, 83, 84: no image lost or done twice, a torn last line done again."""
    assert evaluate("--report", tmp_path / "whole").exit_code == 0
    eye.asked, eye.after = [], 2
    assert evaluate("--report", tmp_path / "parts").exit_code == 130
    with (tmp_path / "parts" / "predictions.jsonl.part").open("a") as stream:
        stream.write('{"schema":1,"torn')
    eye.asked, eye.after = [], 10**9
    result = evaluate("--report", tmp_path / "parts")
    assert (result.exit_code, len(eye.asked)) == (0, 3)
    assert result.stderr.startswith("continuing after 2 images")
    whole, parts = (without_times(tmp_path / name / "predictions.jsonl") for name in ("whole", "parts"))
    assert whole == parts
    figures = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "parts")]
    assert [figure | {"ms": 0} for figure in figures] == [figures[0] | {"ms": 0}] * 2


def test_a_run_stopped_between_its_two_files_writes_both_again(evaluate, eye, tmp_path):
    """FAULTS 83."""
    eye.after = 2
    evaluate("--report", tmp_path / "report")
    write(tmp_path / "report", "metrics.json", b"{}")
    eye.after = 10**9
    assert evaluate("--report", tmp_path / "report").exit_code == 0
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["images"] == 5


def test_other_settings_do_not_continue_and_a_finished_report_is_kept(evaluate, eye, tmp_path):
    """FAULTS 82."""
    report = ("--report", tmp_path / "report")
    eye.after = 2
    evaluate(*report)
    eye.asked, eye.after = [], 10**9
    for flags in (["--crops", "10"], ["--max-pool"], ["--first", "3"], ["--runtime", "openvino"]):
        result = evaluate(*report, *flags)
        assert (result.exit_code, codes(result), eye.asked) == (2, ["OUT_DIFFERS"], []), flags
    assert evaluate(*report, "--first", "3", "--overwrite").exit_code == 0
    before = (tmp_path / "report" / "predictions.jsonl").read_bytes()
    result = evaluate(*report, "--first", "3")
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert (tmp_path / "report" / "predictions.jsonl").read_bytes() == before
    assert evaluate(*report, "--overwrite").exit_code == 0
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["images"] == 5


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--crops", "2"], "FLAG_VALUE"),
        (["--first", "0"], "FLAG_VALUE"),
        (["--threads", "0"], "FLAG_VALUE"),
        (["--max-pixels", "0"], "FLAG_VALUE"),
        (["--truncated", "maybe"], "FLAG_VALUE"),
        (["--runtime", "abacus"], "RUNTIME_UNKNOWN"),
        (["--weights", "nowhere"], "WEIGHTS_UNKNOWN"),
    ],
)
def test_wrong_flags_are_status_2(evaluate, flags, code):
    result = evaluate(*flags)
    assert (result.exit_code, codes(result)) == (2, [code])


def test_a_report_among_the_images_is_refused(evaluate, data, tmp_path):
    """FAULTS 82."""
    result = evaluate("--report", data / "report")
    assert (result.exit_code, codes(result)) == (2, ["OUT_IN_DATA"])
    write(tmp_path, "file", b"")
    result = evaluate("--report", tmp_path / "file")
    assert (result.exit_code, codes(result)) == (2, ["OUT_UNWRITABLE"])


def test_weights_must_be_a_classifier_of_these_classes(cli, evaluate, data, detector_file, classifier_file):
    result = cli("evaluate", "classification", "--data", data)  # by voc20, which has no colours
    assert (result.exit_code, codes(result)) == (3, ["CLASS_UNKNOWN"])
    result = evaluate(weights=classifier_file)
    assert (result.exit_code, codes(result)) == (3, ["CLASS_UNKNOWN"])
    (data / "red").rename(data / "cat")
    (data / "green").rename(data / "dog")
    (data / "Blue").rename(data / "car")
    result = evaluate(weights=detector_file)
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TASK"])


def test_rows_hold_what_the_networks_say(evaluate, data, colour_file, checkpoint, tmp_path):
    """Without stubs: the five rows of an ensemble are those that its parts give by hand."""
    other = checkpoint(tmp_path / "other.safetensors", seed=1, task="classifier", labels=COLOURS)
    flags = ("--weights", other, "--report", tmp_path / "report", "--runtime", "torch")
    assert evaluate(*flags).exit_code == 0
    classifier = Classifier.load([colour_file, other], "torch", 1)
    for row in without_times(tmp_path / "report" / "predictions.jsonl"):
        expected = classifier.probabilities(read_image(row["path"]).pixels)
        assert [COLOURS.index(one["label"]) for one in row["top"]] == np.argsort(-expected, kind="stable").tolist()
        np.testing.assert_allclose([one["score"] for one in row["top"]], np.sort(expected)[::-1], rtol=1e-4)


@needs_shared
def test_the_published_network_knows_imagenet(cli, tmp_path):
    """The first 20 classes: 16 at first sight, all among five (73.8 and 92.3 in a hundred of all 1,000)."""
    weights = tmp_path / "bvlc.safetensors"
    assert cli("import-weights", SHARED / "weights" / "bvlc_googlenet.safetensors", "--out", weights).exit_code == 0
    flags = ("--data", SHARED / "imagenet-sample", "--weights", weights, "--first", "20", "--quiet", "--threads", "1")
    flags += ("--runtime", "torch")
    found = json.loads(cli("evaluate", "classification", *flags).stdout)
    assert (found["images"], found["top1"], found["top5"]) == (20, 0.8, 1.0)
