"""`classify` with a classifier that knows colours, and with real networks."""

import json

import numpy as np
import pytest
from colour_eye import COLOURS, ColourEye
from command_errors import codes
from hostile import half_jpeg, photo, write
from PIL import Image

from googlenet_rcnn.backbone import classifier as module
from googlenet_rcnn.backbone.classifier import Classifier
from googlenet_rcnn.cli.classify import ClassifyOptions, run_classify
from googlenet_rcnn.datasets.label_list import load_labels

VOC = load_labels("voc20").names


@pytest.fixture
def eye(monkeypatch):
    eye = ColourEye()
    monkeypatch.setattr(module, "Classifier", eye)
    return eye


@pytest.fixture(scope="session")
def colour_file(tmp_path_factory, checkpoint):
    return checkpoint(tmp_path_factory.mktemp("w") / "colours.safetensors", task="classifier", labels=COLOURS)


@pytest.fixture
def classify(cli, colour_file):
    def run(*arguments, weights=None):
        return cli("classify", "--threads", "1", *arguments, "--weights", weights or colour_file)

    return run


def test_classes_of_each_image_best_first(classify, eye, album, rows):
    result = classify(album, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    found = rows(result.stdout)
    assert [(row["image_id"], row["top"][0]["label"]) for row in found] == [("a", "red"), ("b", "green"), ("c", "blue")]
    first = found[0]
    assert [first[key] for key in ("schema", "width", "height", "status")] == [1, 30, 20, "ok"]
    scores = [one["score"] for one in first["top"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)
    assert eye.asked == [(1, False)] * 3
    assert set(json.loads(result.stdout.splitlines()[0])["ms"]) == {"decode", "classify"}


def test_flags_reach_the_classifier(classify, eye, album, rows, colour_file):
    result = classify(album / "a.png", "--crops", "144", "--max-pool", "--top", "2", "--weights", colour_file)
    assert [len(row["top"]) for row in rows(result.stdout)] == [2]
    assert eye.asked == [(144, True)]
    assert eye.paths == [colour_file, colour_file]


def test_more_classes_than_there_are_is_all_of_them(classify, eye, album, rows):
    assert len(rows(classify(album / "a.png", "--top", "9").stdout)[0]["top"]) == 3


def test_a_table_on_the_terminal(eye, album, colour_file, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    options = ClassifyOptions((str(colour_file),), 1, False, 5, "fail", 10**6, True, images=(str(album / "b.png"),))
    assert run_classify(options) == 0
    first, best, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{album}/b.png  30x20, ")
    assert best.split()[1] == "green"
    assert len(rest) == 2


def test_bad_images_are_rows_and_do_not_stop_the_others(classify, eye, album, rows):
    write(album, "broken.jpg", half_jpeg())
    result = classify(album)
    assert (result.exit_code, codes(result)) == (4, ["IMG_TRUNCATED"])
    bad = next(row for row in rows(result.stdout) if row["status"] == "failed")
    assert (bad["image_id"], bad["top"], bad["code"]) == ("broken", [], "IMG_TRUNCATED")
    salvaged = classify(album, "--truncated", "salvage")
    assert salvaged.exit_code == 0
    assert [row["warnings"] for row in rows(salvaged.stdout) if "warnings" in row] == [["IMG_TRUNCATED"]]
    assert classify(album, "--on-error", "fail").exit_code == 3


def test_a_stopped_run_goes_on_where_it_was(classify, eye, album, tmp_path, rows):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert classify(album, "--out", whole).exit_code == 0
    eye.asked, eye.after = [], 1
    assert classify(album, "--out", out).exit_code == 130
    assert not out.exists()
    eye.asked, eye.after = [], 99
    again = classify(album, "--out", out)
    assert "continuing after 1 images" in again.stderr
    assert len(eye.asked) == 2
    assert rows(out) == rows(whole)
    assert (classify(album, "--out", out).exit_code, codes(classify(album, "--out", out))) == (2, ["OUT_EXISTS"])
    assert classify(album, "--out", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize("change", [("--crops", "10"), ("--max-pool",), ("--top", "1"), ("--no-exif",)])
def test_other_settings_do_not_continue_a_run(classify, eye, album, tmp_path, change):
    out, eye.after = tmp_path / "out.jsonl", 1
    assert classify(album, "--out", out).exit_code == 130
    eye.asked, eye.after = [], 99
    result = classify(album, "--out", out, *change)
    assert (result.exit_code, codes(result)) == (2, ["OUT_DIFFERS"])


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--crops", "5"), "FLAG_VALUE"),
        (("--top", "0"), "FLAG_VALUE"),
        (("--threads", "0"), "FLAG_VALUE"),
        (("--workers", "0"), "FLAG_VALUE"),
        (("--truncated", "maybe"), "FLAG_VALUE"),
        (("--on-error", "cry"), "FLAG_VALUE"),
        (("--weights", "none"), "WEIGHTS_UNKNOWN"),
        (("--runtime", "abacus"), "RUNTIME_UNKNOWN"),
    ],
)
def test_wrong_flags_are_status_2(classify, album, flags, code):
    result = classify(album, *flags)
    assert (result.exit_code, codes(result), result.stdout) == (2, [code], "")


def test_without_weights_it_tells_the_classes_of_voc(cli, album):
    result = cli("classify", album, "--top", "20", "--runtime", "torch")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(sorted(one["label"] for one in row["top"]) == sorted(VOC) for row in rows if row["status"] == "ok")


def test_an_image_is_never_written_over(classify, eye, album):
    before = (album / "a.png").read_bytes()
    result = classify(album, "--out", album / "a.png", "--overwrite")
    assert (result.exit_code, codes(result)) == (2, ["OUT_IS_INPUT"])
    assert (album / "a.png").read_bytes() == before


def test_a_detector_is_no_classifier(classify, album, detector_file):
    result = classify(album, weights=detector_file)
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TASK"])


def test_real_networks_give_what_their_classifier_says(classify, classifier_file, checkpoint, tmp_path, rows):
    other = checkpoint(tmp_path / "other.safetensors", seed=3, task="classifier", labels=tuple("abcde"))
    Image.fromarray(photo(60, 90)).save(tmp_path / "p.png")
    flags = ("--weights", other, "--crops", "10", "--runtime", "torch")
    (row,) = rows(classify(tmp_path / "p.png", *flags, weights=classifier_file).stdout)
    wanted = Classifier.load([classifier_file, other], "torch", 1).probabilities(photo(60, 90), 10)
    order = np.argsort(-wanted)
    assert [one["label"] for one in row["top"]] == ["abcde"[place] for place in order]
    np.testing.assert_allclose([one["score"] for one in row["top"]], wanted[order], rtol=1e-5)
