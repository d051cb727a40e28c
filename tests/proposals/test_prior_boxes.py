"""Priors as a proposer, and boxes from shares of an image's sides."""

import numpy as np
import pytest
from contracts import check_proposer
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.proposals.prior_boxes import PriorBoxes, boxes_from_shares

PRIORS = np.array([(0.25, 0.5, 0.75, 1), (0, 0, 1, 1), (0.1, 0.2, 0.3, 0.4)], np.float32)


def test_shares_become_pixels_of_the_image() -> None:
    assert boxes_from_shares(PRIORS[:2], Size(40, 80)).tolist() == [[20, 20, 60, 40], [0, 0, 80, 40]]


@given(arrays(np.float32, (5, 4), elements=st.floats(-2, 3, width=32)), st.integers(1, 70), st.integers(1, 70))
def test_any_shares_become_boxes_inside_the_image(shares: np.ndarray, height: int, width: int) -> None:
    Boxes(boxes_from_shares(shares, Size(height, width)), Size(height, width))  # checks itself


@given(arrays(np.float64, (4, 2), elements=st.floats(0.05, 0.9)), st.integers(50, 300))
def test_shares_of_a_box_give_the_box_back(low: np.ndarray, side: int) -> None:
    shares = np.concatenate([low, low + 0.09], axis=1)
    back = boxes_from_shares(shares.astype(np.float32), Size(side, side))
    assert back == pytest.approx(shares * side, abs=1e-3)


def test_priors_are_proposed_in_their_order_whatever_the_image_shows() -> None:
    proposer = PriorBoxes(PRIORS)
    check_proposer(proposer)
    dark, light = (proposer.propose(np.full((40, 80, 3), value, np.uint8)) for value in (0, 200))
    assert dark.boxes.coordinates.tolist() == light.boxes.coordinates.tolist()
    assert dark.boxes.coordinates[1].tolist() == [0, 0, 80, 40]
    assert dark.source_names == ("priors",)
    assert dark.scores.tolist() == pytest.approx([1, 2 / 3, 1 / 3])


def test_count_keeps_the_first_and_a_tiny_image_has_equal_boxes_once() -> None:
    assert len(PriorBoxes(PRIORS, count=2).propose(np.zeros((40, 80, 3), np.uint8))) == 2
    assert len(PriorBoxes(PRIORS).propose(np.zeros((1, 1, 3), np.uint8))) == 1
