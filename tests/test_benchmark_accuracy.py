"""Rows of the accuracy table are made of the scores that were kept, whoever kept them and in whatever order."""

import argparse
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hostile import encoded, photo
from tiny_screen import random_boxes, random_screen, screen_file
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes, Dataset, LabelSet, Proposals, Size
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.cascade import CascadeSettings
from googlenet_rcnn.detector.opinions import pool_opinions
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.screening import Screen
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.comparison import compare_detections
from googlenet_rcnn.eval.match_rule import RULES

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "accuracy"
COUNTS, CLASSES, SIZE = (5, 0, 3), 4, Size(60, 80)
LABELS = ("cat", "dog")


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The benchmark's files are modules of their own while a test runs, and are forgotten after it."""
    names = {path.stem for path in FOLDER.glob("*.py")}
    kept = {name: sys.modules.pop(name) for name in names & set(sys.modules)}
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in names & set(sys.modules):
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.fixture
def read_scores():
    return import_module("scored_images").read_scores


@pytest.fixture
def learn():
    return import_module("cascade")


def write_kept(path: Path, whole, least: float) -> None:
    """The file that score.py would write of probabilities [n,C] and offsets [n,C,4] of each image."""
    columns = {name: [] for name in ("image", "box", "label", "probability", "offsets")}
    for image, (probabilities, offsets) in enumerate(whole):
        box, label = np.nonzero(probabilities >= least)
        values = (np.full(len(box), image), box, label, probabilities[box, label], offsets[box, label])
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    np.savez(path, **{name: np.concatenate(parts) for name, parts in columns.items()})


def kept(path: Path, seed: int, least: float):
    """A file of score.py of made-up scores, and those scores in full."""
    random, whole = np.random.default_rng(seed), []
    for count in COUNTS:
        probabilities = random.dirichlet(np.ones(1 + CLASSES), count)[:, 1:].reshape(count, CLASSES)
        whole.append((probabilities, random.normal(size=(count, CLASSES, 4)).astype(np.float16)))
    write_kept(path, whole, least)
    return whole


def test_kept_scores_come_back_and_the_rest_is_background(read_scores, tmp_path) -> None:
    whole = kept(tmp_path / "a.npz", 0, 0.2)
    for (probabilities, offsets), found in zip(whole, read_scores([tmp_path / "a.npz"], COUNTS, CLASSES), strict=True):
        seen = probabilities >= 0.2
        np.testing.assert_allclose(found.probabilities[:, 1:], np.where(seen, probabilities, 0), atol=1e-7)
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
        assert (found.offsets == np.where(seen[..., None], offsets, 0)).all()


def test_files_are_averaged(read_scores, tmp_path) -> None:
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    one, two = (kept(path, seed, 0.0) for seed, path in enumerate(paths))
    for (p, a), (q, b), found in zip(one, two, read_scores(paths, COUNTS, CLASSES), strict=True):
        np.testing.assert_allclose(found.probabilities[:, 1:], (p + q) / 2, atol=1e-7)
        np.testing.assert_allclose(found.offsets, (a.astype(np.float32) + b) / 2, atol=1e-6)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A devkit of six pictures, proposals around their objects, scores that mostly find them, and weights."""
    folder = tmp_path_factory.mktemp("files")
    objects = [[("cat", (11, 11, 50, 45))], [("dog", (21, 6, 70, 50)), ("cat", (1, 1, 18, 18))]] * 3
    names = [f"{number:06d}" for number in range(6)]
    xml = {
        name: annotation(*(thing(*one) for one in each), size=SIZE) for name, each in zip(names, objects, strict=True)
    }
    devkit(folder, xml, split="val")
    (folder / "VOC2007" / "labels.txt").write_text("\n".join(LABELS))
    lines, whole = [], []
    for number, (name, sample) in enumerate(zip(names, read_voc(folder, "val").samples, strict=True)):
        (folder / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(encoded(photo(), "JPEG"))
        truth = sample.truth
        boxes = np.concatenate([truth.boxes.coordinates, random_boxes(15, number, SIZE).coordinates]).round(3)
        random = np.random.default_rng(number)
        probabilities = random.uniform(0, 0.4, (len(boxes), 2))
        probabilities[np.arange(len(truth)), truth.labels] = random.uniform(0.3, 0.6, len(truth))
        whole.append((probabilities, np.zeros((len(boxes), 2, 4), np.float16)))
        row = {"schema": 1, "image_id": name, "path": "x", "width": 80, "height": 60, "status": "ok"}
        row |= {"boxes": boxes.tolist(), "scores": (-np.arange(len(boxes))).tolist(), "sources": ["ss"] * len(boxes)}
        lines.append(json.dumps(row) + "\n")
    (folder / "proposals.jsonl").write_text("".join(lines))
    write_kept(folder / "scores.npz", whole, 0.01)
    screen_file(folder / "given.safetensors", doubt=0.5)
    return folder


def command(script, folder, *flags):
    found = [FOLDER / script, folder / "scores.npz", "--data", folder, "--proposals", folder / "proposals.jsonl"]
    return list(map(str, [*found, *flags]))


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a script in this process; gives what it printed and what it complained about."""

    def run(script, folder, *flags, status=0):
        monkeypatch.setattr(sys, "argv", command(script, folder, *flags))
        try:
            found = import_module(Path(script).stem).main()
        except SystemExit as caught:  # argparse
            found = caught.code
        output = capsys.readouterr()
        assert found == status, output.err
        return output

    return run


def scored(files):
    """What the tables start from."""
    module = import_module("scored_images")
    parser = argparse.ArgumentParser()
    module.add_flags(parser)
    flags = ["--data", files, "--proposals", files / "proposals.jsonl", files / "scores.npz"]
    return module.ScoredImages.read(parser.parse_args(list(map(str, flags))))


def settings(doubts=(0.0, 0.2, 0.5), limits=(1000,), overlap=1.0):
    return [CascadeSettings(doubt=doubt, overlap=overlap, limit=limit) for doubt in doubts for limit in limits]


def screened_by(*arguments):
    return import_module("screened").screen_images(*arguments)


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
            left = np.zeros_like(scores.probabilities)
            left[:, 0] = 1
            left[rows_] = scores.probabilities[rows_]
            found.append(RegionScores(left, scores.offsets))
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


def table_rows(output):
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in output.out.splitlines()]
    return {line[0]: line[1:] for line in lines[2:]}


def test_each_row_of_the_table_adds_one_ingredient(run, files) -> None:
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--vote", 0.4, "--nms", 0.5)
    found = table_rows(run("table.py", files, *flags, "--bootstrap", 20, "--mirrored", files / "scores.npz"))
    assert list(found) == [
        "class scores alone", "+ box regression", "+ box voting", "+ the vote of screening", "+ mirrors",
        "all that, NMS at 0.5",
    ]  # fmt: skip
    images, rule = scored(files), RULES["voc07"]
    path = files / "given.safetensors"
    screen = Screen.load(path, lambda side: load_engine(path, "trunk", "torch", side=side))
    screened = screened_by(images, screen, lambda message: None)
    pooled = [
        RegionScores(pool_opinions(one.probabilities, seen, 0.4), one.offsets)
        for one, seen in zip(images.scores, screened, strict=True)
    ]
    # Every offset is zero, and the mirror images are the crops.
    kinds = [(images.scores, 0.3, 1.0)] * 2 + [(images.scores, 0.3, 0.5)] + [(pooled, 0.3, 0.5)] * 2
    matched = [images.match(scores, Selection(0.01, nms, 100, voting), rule) for scores, nms, voting in kinds]
    matched.append(images.match(pooled, Selection(0.01, 0.5, 100, 0.5), rule))
    for cells, matches in zip(found.values(), matched, strict=True):
        assert cells[1] == f"{average_precision(matches, rule).mean:.4f}"
    for row, (after, before) in {1: (1, 0), 2: (2, 1), 3: (3, 2), 5: (5, 4)}.items():
        gain = compare_detections(matched[before], matched[after], rule, rounds=20).mean
        cells = list(found.values())[row]
        assert cells[3] == f"{100 * gain.difference:+.1f}"
        assert cells[4] == f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"


def test_proposals_of_several_sources_have_a_row_each(run, files, tmp_path) -> None:
    lines = [json.loads(line) for line in (files / "proposals.jsonl").read_text().splitlines()]
    for line in lines:
        line["sources"] = ["multibox", *line["sources"][1:]]
    (tmp_path / "union.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    flags = ("--weights", files / "given.safetensors", "--runtime", "torch", "--bootstrap", 2, "--nms")
    found = table_rows(run("table.py", files, *flags, "--proposals", tmp_path / "union.jsonl"))
    assert [found[f"all that, boxes of {source} alone"][0] for source in ("multibox", "ss")] == ["1", "16"]
    assert "+ mirrors" not in found


def test_a_table_without_a_screen_is_refused(run, files, tmp_path) -> None:
    run("table.py", files, "--weights", tmp_path / "gone.safetensors", status=3)


def test_a_threshold_counts_what_is_right_and_what_is_found() -> None:
    module = import_module("threshold")
    random = np.random.default_rng(0)
    score = np.sort(random.integers(0, 20, 60))[::-1] / 20
    kind = random.integers(0, 3, 60)  # right, wrong, ignored
    matches = SimpleNamespace(score=score, true=kind == 0, false=kind == 1, images=7, truth_image=np.zeros(50))
    for row in module.at_thresholds(matches, [0.0, 0.25, 0.5, 0.975]):
        right = sum(k == 0 and s >= row.threshold for k, s in zip(kind, score, strict=True))
        wrong = sum(k == 1 and s >= row.threshold for k, s in zip(kind, score, strict=True))
        assert row.detections == pytest.approx((right + wrong) / 7)
        assert row.precision == pytest.approx(right / (right + wrong) if right + wrong else 1)
        assert row.recall == pytest.approx(right / 50)
        expected = 2 * right / (right + wrong + 50)  # F1 as Dice's coefficient
        assert row.f1 == pytest.approx(expected)


def test_the_threshold_with_the_best_f1_goes_into_the_card(files, tmp_path, monkeypatch, capsys) -> None:
    module = import_module("threshold")
    lines = []
    for sample in read_voc(files, "val").samples:
        row = {"schema": 1, "image_id": sample.image_id, "path": "x", "width": 80, "height": 60, "status": "ok"}
        boxes = sample.truth.boxes.coordinates.tolist()
        right = [{"label": LABELS[n], "score": 0.72, "box": b} for n, b in zip(sample.truth.labels, boxes, strict=True)]
        wrong = [{"label": "cat", "score": 0.33, "box": [60, 50, 80, 60]}]
        lines.append(json.dumps(row | {"detections": right + wrong}) + "\n")
    (tmp_path / "found.jsonl").write_text("".join(lines))
    flags = [tmp_path / "found.jsonl", "--data", files, "--weights", files / "given.safetensors"]
    monkeypatch.setattr(sys, "argv", list(map(str, ["threshold.py", *flags, "--write", tmp_path / "out.safetensors"])))
    assert module.main() == 0
    assert "best F1 at 0.7: precision 1.000, recall 1.000" in capsys.readouterr().out
    assert read_card(tmp_path / "out.safetensors").score_threshold == 0.7
    assert read_card(files / "given.safetensors").score_threshold is None
