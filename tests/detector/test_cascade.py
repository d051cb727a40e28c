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


@pytest.mark.parametrize("overlap", [0.3, 0.5, 0.8])
def test_every_box_overlaps_its_representative_which_comes_first_and_represents_itself(overlap: float) -> None:
    boxes = random_boxes(200)
    stands_for = Cascade(overlap=overlap).representatives(boxes)
    ious = intersection_over_union(boxes.coordinates, boxes.coordinates)
    rows = np.arange(200)
    assert (stands_for <= rows).all()
    assert (stands_for[stands_for] == stands_for).all()
    assert (ious[rows, stands_for] >= overlap).all()


def test_representatives_do_not_represent_each_other() -> None:
    boxes = random_boxes(150, seed=3)
    first = np.unique(Cascade(overlap=0.5).representatives(boxes))
    ious = intersection_over_union(boxes.coordinates[first], boxes.coordinates[first])
    np.fill_diagonal(ious, 0)
    assert ious.max() < 0.5


def test_without_doubt_all_boxes_are_scored_once_and_as_in_exhaustive_mode() -> None:
    boxes = random_boxes(120)
    scorer = Scorer(np.random.default_rng(1).random(120))
    probabilities = Cascade(doubt=0.0).score(boxes, scorer)
    np.testing.assert_array_equal(probabilities, scorer.table)
    assert sorted(scorer.asked) == list(range(120))


def test_boxes_behind_a_background_representative_are_background_and_never_scored() -> None:
    boxes = random_boxes(120, seed=2)
    cascade = Cascade(overlap=0.4, doubt=0.5)
    stands_for = cascade.representatives(boxes)
    scorer = Scorer(np.random.default_rng(4).random(120))
    probabilities = cascade.score(boxes, scorer)
    promising = scorer.table[stands_for, 1] >= 0.5
    first = stands_for == np.arange(120)
    assert sorted(scorer.asked) == np.flatnonzero(promising | first).tolist()
    np.testing.assert_array_equal(probabilities[promising | first], scorer.table[promising | first])
    assert (probabilities[~(promising | first)] == [1.0, 0.0]).all()


def test_no_boxes_give_no_rows() -> None:
    probabilities = Cascade().score(Boxes.empty(SIZE), Scorer(np.zeros(0)))
    assert probabilities.shape == (0, 2)
