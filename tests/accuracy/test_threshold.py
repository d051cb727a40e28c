"""Which detections are worth showing."""

import json
import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
from accuracy_files import LABELS

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.datasets.voc import read_voc


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
