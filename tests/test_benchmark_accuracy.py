"""Rows of the accuracy table are made of the scores that were kept, whoever kept them and in whatever order."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from googlenet_rcnn.core.types import Boxes, Proposals, Size
from googlenet_rcnn.detector.cascade import Cascade
from googlenet_rcnn.detector.region_scores import RegionScores

COUNTS, CLASSES = (5, 0, 3), 4


@pytest.fixture(scope="module")
def rows():
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "accuracy" / "rows.py"
    spec = importlib.util.spec_from_file_location("accuracy_rows", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def kept(path: Path, seed: int, least: float):
    """A file of score.py of made-up scores, and those scores in full."""
    random = np.random.default_rng(seed)
    whole, columns = [], {name: [] for name in ("image", "box", "label", "probability", "offsets")}
    for image, count in enumerate(COUNTS):
        probabilities = random.dirichlet(np.ones(1 + CLASSES), count)[:, 1:].reshape(count, CLASSES)
        offsets = random.normal(size=(count, CLASSES, 4)).astype(np.float16)
        box, label = np.nonzero(probabilities >= least)
        whole.append((probabilities, offsets))
        values = (np.full(len(box), image), box, label, probabilities[box, label], offsets[box, label])
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    np.savez(path, **{name: np.concatenate(parts) for name, parts in columns.items()})
    return whole


def test_kept_scores_come_back_and_the_rest_is_background(rows, tmp_path) -> None:
    whole = kept(tmp_path / "a.npz", 0, 0.2)
    for (probabilities, offsets), found in zip(
        whole, rows.read_scores([tmp_path / "a.npz"], COUNTS, CLASSES), strict=True
    ):
        seen = probabilities >= 0.2
        np.testing.assert_allclose(found.probabilities[:, 1:], np.where(seen, probabilities, 0), atol=1e-7)
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
        assert (found.offsets == np.where(seen[..., None], offsets, 0)).all()


def test_files_are_averaged(rows, tmp_path) -> None:
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    one, two = (kept(path, seed, 0.0) for seed, path in enumerate(paths))
    for (p, a), (q, b), found in zip(one, two, rows.read_scores(paths, COUNTS, CLASSES), strict=True):
        np.testing.assert_allclose(found.probabilities[:, 1:], (p + q) / 2, atol=1e-7)
        np.testing.assert_allclose(found.offsets, (a.astype(np.float32) + b) / 2, atol=1e-6)


def test_survivors_are_what_the_cascade_scores(rows) -> None:
    random = np.random.default_rng(3)
    corner = random.uniform(0, 60, (50, 2))
    boxes = Boxes(np.hstack([corner, corner + random.uniform(5, 40, (50, 2))]), Size(100, 100))
    scores = RegionScores(random.dirichlet([8, 1, 1], 50).astype(np.float32), np.zeros((50, 2, 4), np.float32))
    found, count = rows.survivors(scores, Proposals.from_source(boxes, -np.arange(50.0), "x"))
    expected = Cascade().score(boxes, lambda wanted: scores.probabilities[wanted])
    assert found.probabilities.tobytes() == expected.tobytes()
    assert 0 < count < 50
    assert count == (found.probabilities == scores.probabilities).all(axis=1).sum()
