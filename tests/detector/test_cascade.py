"""Laws of the cascade: survivors are scored as in exhaustive mode, and nothing promising is left out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.cascade import Cascade

SIZE = Size(100, 100)


def random_boxes(count: int, seed: int = 0) -> Boxes:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 60, (count, 2))
    return Boxes(np.hstack([corner, corner + random.uniform(5, 40, (count, 2))]), SIZE)


class Scorer:
    """Gives every box a fixed probability of one class and remembers what was asked."""

    def __init__(self, objectness: NDArray[np.float64]) -> None:
        self.table = np.stack([1 - objectness, objectness], axis=1).astype(np.float32)
        self.asked: list[int] = []

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        self.asked += rows.tolist()
        return self.table[rows]


@pytest.mark.parametrize("spacing", [0.2, 0.5, 0.8])
def test_every_box_overlaps_a_representative_and_no_two_of_them_overlap(spacing: float) -> None:
    boxes = random_boxes(200)
    first = Cascade(spacing=spacing).representatives(boxes)
    ious = intersection_over_union(boxes.coordinates, boxes.coordinates[first])
    assert (ious.max(axis=1) >= spacing).all()
    between = ious[first] - np.eye(len(first))
    assert between.max() < spacing
    assert first[0] == 0
    assert (np.diff(first) > 0).all()


def test_a_box_is_represented_by_an_earlier_one() -> None:
    boxes = random_boxes(200, seed=5)
    first = Cascade(spacing=0.4).representatives(boxes)
    ious = intersection_over_union(boxes.coordinates, boxes.coordinates[first])
    for row in np.setdiff1d(np.arange(200), first):
        assert ious[row, first < row].max() >= 0.4


def test_without_doubt_all_boxes_are_scored_once_and_as_in_exhaustive_mode() -> None:
    boxes = random_boxes(120)
    scorer = Scorer(np.random.default_rng(1).random(120))
    probabilities = Cascade(doubt=0.0).score(boxes, scorer)
    np.testing.assert_array_equal(probabilities, scorer.table)
    assert sorted(scorer.asked) == list(range(120))


def test_only_boxes_near_a_promising_representative_are_scored() -> None:
    boxes = random_boxes(120, seed=2)
    cascade = Cascade(spacing=0.4, reach=0.3, doubt=0.7)
    first = cascade.representatives(boxes)
    scorer = Scorer(np.random.default_rng(4).random(120))
    probabilities = cascade.score(boxes, scorer)
    expected = set(first.tolist())
    for row in range(120):
        for other in first:
            overlap = intersection_over_union(boxes.coordinates[row : row + 1], boxes.coordinates[other : other + 1])
            if overlap[0, 0] >= 0.3 and scorer.table[other, 1] >= 0.7:
                expected.add(row)
    assert len(first) < len(expected) < 120
    assert sorted(scorer.asked) == sorted(expected)
    scored = np.array(sorted(expected))
    np.testing.assert_array_equal(probabilities[scored], scorer.table[scored])
    assert (np.delete(probabilities, scored, axis=0) == [1.0, 0.0]).all()


@pytest.mark.parametrize("objectness", [0.0, 1.0])
def test_nothing_and_everything(objectness: float) -> None:
    boxes = random_boxes(60, seed=7)
    scorer = Scorer(np.full(60, objectness))
    Cascade().score(boxes, scorer)
    first = Cascade().representatives(boxes)
    assert sorted(scorer.asked) == (first.tolist() if objectness == 0 else list(range(60)))


def test_no_boxes_give_no_rows() -> None:
    probabilities = Cascade().score(Boxes.empty(SIZE), Scorer(np.zeros(0)))
    assert probabilities.shape == (0, 2)
