"""From the image to the working image and back."""

import numpy as np
import pytest

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.proposals.working import MAX_HEIGHT, proposals_from_working, working_image


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((375, 500), (375, 500)),
        ((100, 50), (1000, 500)),
        ((300, 100), (1000, 333)),
        ((1, 1), (500, 500)),
        ((1, 2000), (1, 500)),
        ((2000, 1), (1000, 1)),
        ((30000, 2), (1000, 1)),
    ],
)
def test_size_is_bounded_and_at_least_one(given: tuple[int, int], expected: tuple[int, int]) -> None:
    working = working_image(np.zeros((*given, 3), np.uint8), 500)
    assert working.shape == (*expected, 3)
    assert working.shape[0] <= MAX_HEIGHT


def test_boxes_go_back_small_ones_and_repeats_go() -> None:
    boxes = np.array([[0, 0, 50, 40], [5, 5, 24, 40], [10, 0, 30, 20], [0, 0, 50, 40]], np.int32)
    proposals = proposals_from_working(boxes, Size(40, 50), Size(80, 25), 20, "x")
    assert proposals.boxes.coordinates.tolist() == [[0, 0, 25, 80], [5, 0, 15, 40]]
    assert proposals.scores.tolist() == [1, 0.5]
    assert proposals.source_names == ("x",)


def test_whole_image_stands_in_for_nothing() -> None:
    proposals = proposals_from_working(np.zeros((0, 4), np.int32), Size(3, 500), Size(6, 1000), 20, "x")
    assert proposals.boxes.coordinates.tolist() == [[0, 0, 1000, 6]]


def test_boxes_stay_inside_whatever_the_factor() -> None:
    for side in range(1, 2000, 37):
        boxes = np.array([[0, 0, 500, 333], [499, 332, 500, 333]], np.int32)
        size = Size(side, side * 3)
        assert len(proposals_from_working(boxes, Size(333, 500), size, 1, "x")) == 2
