"""The settings of the cascade are learned from what it would have scored."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from accuracy_files import LABELS, SIZE, command, scored, screened_by
from tiny_screen import random_screen

from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes, Dataset, LabelSet, Proposals
from googlenet_rcnn.detector.cascade import CascadeSettings
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.comparison import compare_detections
from googlenet_rcnn.eval.match_rule import RULES


def settings(doubts=(0.0, 0.2, 0.5), limits=(1000,), overlap=1.0):
    return [CascadeSettings(doubt=doubt, overlap=overlap, limit=limit) for doubt in doubts for limit in limits]


def attempts(learn, images, screened, settings):
    rule = RULES["voc07"]
    trials = [learn.attempt(images, screened, [one] * len(images.scores), Selection(), rule) for one in settings]
    return trials, images.match(images.scores, Selection(), rule)


def measured(learn, images, screened, settings, rounds):
    """A row for each setting, and the matches of exhaustive mode."""
    trials, whole = attempts(learn, images, screened, settings)
    return learn.measure(trials, whole, RULES["voc07"], rounds), whole


def test_each_row_is_what_the_cascade_would_have_scored(learn, files) -> None:
    images, screen, rule = scored(files), random_screen(), RULES["voc07"]
    screened = screened_by(images, screen, lambda message: None)
    rows, whole = measured(learn, images, screened, settings(overlap=0.5), rounds=20)
    assert [row.crops for row in rows] == sorted(row.crops for row in rows)
    for row in rows:
        found, counts = [], []
        for sample, proposals, scores in zip(images.dataset.samples, images.proposals, images.scores, strict=True):
            seen = screen.probabilities(read_image(sample.path).pixels, proposals.boxes)
            rows_ = row.settings.choose(proposals.boxes, seen)
            left = np.float32(row.settings.trust) * seen
            left[:, 0] = 1 - left[:, 1:].sum(axis=1)
            left[rows_] = scores.probabilities[rows_]
            offsets = np.zeros_like(scores.offsets)
            offsets[rows_] = scores.offsets[rows_]
            found.append(RegionScores(left, offsets))
            counts.append(len(rows_))
        matches = images.match(found, Selection(), rule)
        compared = compare_detections(whole, matches, rule, rounds=20).mean
        assert (row.crops, row.most) == (np.mean(counts), max(counts))
        assert row.map == pytest.approx(average_precision(matches, rule).mean)
        assert (row.difference, row.low, row.high) == pytest.approx((compared.difference, compared.low, compared.high))


def test_a_cascade_that_lets_everything_through_loses_nothing(learn, files) -> None:
    images = scored(files)
    screened = screened_by(images, random_screen(), lambda message: None)
    (row,), _ = measured(learn, images, screened, settings(doubts=(0.0,)), rounds=20)
    assert row.crops == np.mean([len(proposals) for proposals in images.proposals])
    assert (row.difference, row.low, row.high) == (0, 0, 0)
    assert 0 < row.map <= 1


@pytest.mark.parametrize("tolerance", [0.0, 5.0, 100.0])
def test_a_setting_is_chosen_on_the_other_images_alone(learn, files, tolerance) -> None:
    images, rule, folds = scored(files), RULES["voc07"], 3
    screened = screened_by(images, random_screen(), lambda message: None)
    trials, whole = attempts(learn, images, screened, settings((0.2, 0.35, 0.5), (2, 1000), overlap=0.5))
    fitted = learn.cross_fit(trials, whole, rule, tolerance, folds)
    for image in range(len(images.scores)):
        others = [other for other in range(len(images.scores)) if other % folds != image % folds]
        subset = type(images)(
            Dataset(images.dataset.labels, tuple(images.dataset.samples[other] for other in others)),
            *([each[other] for other in others] for each in (images.proposals, images.scores)),
        )
        rows, _ = measured(learn, subset, [screened[other] for other in others], [one.settings[0] for one in trials], 1)
        expected = learn.cheapest(rows, tolerance)
        crops = {row.settings: row.crops for row in rows}
        wanted = max(crops.values()) if expected is None else expected.crops
        assert crops[fitted[image]] == pytest.approx(wanted)
    (row,) = learn.measure([learn.attempt(images, screened, fitted, Selection(), rule)], whole, rule, 5)
    assert row.settings == (fitted[0] if len(set(fitted)) == 1 else None)
    assert min(trial.crops.mean() for trial in trials) <= row.crops <= max(trial.crops.mean() for trial in trials)


def test_the_cheapest_row_within_the_tolerance_is_suggested(learn) -> None:
    def row(crops, difference):
        return learn.Row(CascadeSettings(), crops, 9, 0.5, difference, -1.0, 1.0)

    rows = [row(10.0, -0.02), row(20.0, -0.0029), row(30.0, 0.001), row(40.0, 0.0)]
    assert [learn.cheapest(rows, tolerance).crops for tolerance in (0.1, 0.3, 2.5)] == [30.0, 20.0, 10.0]
    assert learn.cheapest(rows[:1], 0.3) is None
    assert learn.cheapest([row(1.0, float("nan"))], 0.3) is None


def test_images_without_proposals_have_no_crops(learn, files) -> None:
    samples = tuple(scored(files).dataset.samples[:2])
    empty = Proposals.from_source(Boxes.empty(SIZE), np.zeros(0), "ss")
    nothing = RegionScores(np.zeros((0, 3), np.float32), np.zeros((0, 2, 4), np.float32))
    images = import_module("scored_images").ScoredImages(Dataset(LabelSet(LABELS), samples), [empty] * 2, [nothing] * 2)
    screened = screened_by(images, random_screen(), lambda message: None)
    (row,), _ = measured(learn, images, screened, settings(doubts=(0.1,)), rounds=5)
    assert (row.crops, row.most, row.map, row.difference) == (0, 0, 0, 0)


def test_the_command_prints_a_table_and_writes_the_suggestion(files, tmp_path) -> None:
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--doubt", 0, 1, "--overlap", 1.0)
    flags += ("--limit", 30, "--bootstrap", 20, "--write", tmp_path / "out.safetensors")
    program = [sys.executable, *command("cascade.py", files, *flags)]
    result = subprocess.run(program, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == 0, result.stderr
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in result.stdout.splitlines() if "|" in line]
    assert lines[0][:6] == ["doubt", "overlap", "limit", "crops", "most", "mAP"]
    assert [line[0] for line in lines[2:4]] == ["1", "0"]
    assert [line[3:8] for line in lines[4:]] == [lines[0][3:8], lines[1][3:8], lines[3][3:8]]
    assert float(lines[2][3]) < float(lines[3][3])
    assert lines[3][6:] == ["+0.0000", "+0.0000 to +0.0000"]
    assert "cheapest within 0.3 points: doubt=0.0 overlap=1.0 limit=30" in result.stdout
    before, after = read_card(files / "given.safetensors"), read_card(tmp_path / "out.safetensors")
    assert CascadeSettings.of(before, "x").doubt == 0.5
    assert CascadeSettings.of(after, "x") == CascadeSettings(doubt=0.0, overlap=1.0, limit=30)
    assert after.metrics["cascade"]["difference"] == 0
    assert after.screen["head"] == before.screen["head"]
    assert after.model_copy(update={"screen": before.screen, "metrics": before.metrics}) == before
    arrays, others = read_arrays(files / "given.safetensors"), read_arrays(tmp_path / "out.safetensors")
    assert arrays.keys() == others.keys()
    assert all((others[name] == array).all() for name, array in arrays.items())


def test_without_a_row_within_the_tolerance_nothing_is_written(run, files, tmp_path) -> None:
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--doubt", 1, "--limit", 1)
    output = run("cascade.py", files, *flags, "--bootstrap", 1, "--write", tmp_path / "out.safetensors", status=1)
    assert "no setting loses less than 0.3 points" in output.err
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(
    "flags", [("--doubt", 2), ("--overlap", 0), ("--limit", 0), ("--bootstrap", 0), ("--folds", 1)]
)
def test_settings_without_meaning_are_refused(run, files, flags) -> None:
    run("cascade.py", files, "--weights", files / "given.safetensors", *flags, status=2)


def test_weights_without_a_screening_head_are_told_of(run, files, tmp_path) -> None:
    card = read_card(files / "given.safetensors")
    tensors = {name: one for name, one in read_tensors(files / "given.safetensors").items() if "screen." not in name}
    save_weights(tmp_path / "bare.safetensors", tensors, card.model_copy(update={"screen": None}))
    output = run("cascade.py", files, "--weights", tmp_path / "bare.safetensors", status=3)
    assert output.err.startswith("error: MODEL_NO_SCREEN: ")
    assert "train-screen" in output.err
