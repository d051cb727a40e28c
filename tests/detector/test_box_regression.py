"""Offsets and the boxes they move: R-CNN's appendix C by hand and by loops, and what a wild network cannot break."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.box_regression import SCALE, move_boxes, offsets_to

SIZE = Size(240, 320)


def boxes(*rows) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def scattered(seed: int, count: int = 500) -> np.ndarray:
    """Boxes of fractional corners inside the image, some of them thin."""
    random = np.random.default_rng(seed)
    x, y = (np.sort(random.uniform(0, side, (count, 2)), axis=1) for side in (SIZE.width, SIZE.height))
    found = np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(np.float32)
    return found[(found[:, 2:] - found[:, :2] > 1).all(axis=1)]


def offsets_by_hand(wanted, window) -> list[float]:
    """R-CNN's targets of one box in plain Python, then divided by Fast R-CNN's deviations."""
    width, height = window[2] - window[0], window[3] - window[1]
    move_x = (wanted[0] + wanted[2] - window[0] - window[2]) / 2 / width
    move_y = (wanted[1] + wanted[3] - window[1] - window[3]) / 2 / height
    grow_x, grow_y = math.log((wanted[2] - wanted[0]) / width), math.log((wanted[3] - wanted[1]) / height)
    return [move_x / 0.1, move_y / 0.1, grow_x / 0.2, grow_y / 0.2]


def test_a_case_worked_by_hand() -> None:
    # The centre goes from (30, 40) to (60, 30): 3/4 of the width, -1/4 of the height; the width doubles.
    window, wanted = boxes((10, 20, 50, 60)), boxes((20, 10, 100, 50))
    found = offsets_to(wanted, window)
    np.testing.assert_allclose(found, [[7.5, -2.5, 5 * math.log(2), 0]], atol=1e-5)
    np.testing.assert_allclose(move_boxes(window, found, SIZE), wanted, atol=1e-4)
    assert found.dtype == np.float32
    assert SCALE.tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])


def test_offsets_equal_plain_loops() -> None:
    windows = scattered(0)
    wanted = scattered(1)[: len(windows)]
    windows = windows[: len(wanted)]
    expected = [offsets_by_hand(*pair) for pair in zip(wanted.tolist(), windows.tolist(), strict=True)]
    np.testing.assert_allclose(offsets_to(wanted, windows), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_moving_undoes_looking(seed) -> None:
    windows, wanted = scattered(seed), scattered(seed + 10)
    count = min(len(windows), len(wanted))
    windows, wanted = windows[:count], wanted[:count]
    # Within the growth that moving allows; an object is inside the image, so clipping has no say.
    near = (np.abs(np.log((wanted[:, 2:] - wanted[:, :2]) / (windows[:, 2:] - windows[:, :2]))) < 4).all(axis=1)
    assert near.sum() > 100
    windows, wanted = windows[near], wanted[near]
    offsets = offsets_to(wanted, windows)
    np.testing.assert_allclose(move_boxes(windows, offsets, SIZE), wanted, atol=0.01)
    again = offsets_to(move_boxes(windows, offsets, SIZE), windows)
    sides = (wanted[:, 2:] - wanted[:, :2]).min(axis=1)[:, None]
    assert (np.abs(again - offsets) <= 0.001 * np.maximum(1, np.abs(offsets)) + 0.2 / sides).all()


def test_no_offsets_change_no_bit() -> None:
    windows = scattered(3, 20_000)
    assert move_boxes(windows, np.zeros_like(windows), SIZE).tobytes() == windows.tobytes()
    np.testing.assert_allclose(offsets_to(windows, windows), 0, atol=1e-3)


def test_the_order_of_boxes_and_their_company_do_not_matter() -> None:
    windows = scattered(4)
    offsets = np.random.default_rng(4).normal(size=windows.shape).astype(np.float32)
    whole = move_boxes(windows, offsets, SIZE)
    assert np.array_equal(whole[::-1], move_boxes(windows[::-1], offsets[::-1], SIZE))
    single = [move_boxes(windows[i : i + 1], offsets[i : i + 1], SIZE)[0] for i in range(5)]
    assert np.array_equal(whole[:5], single)


@pytest.mark.parametrize("seed", range(2))
def test_in_a_mirror_only_the_move_to_the_side_changes_its_sign(seed) -> None:
    windows, wanted = scattered(seed), scattered(seed + 20)
    count = min(len(windows), len(wanted))
    windows, wanted = windows[:count], wanted[:count]

    def mirrored(rows):
        return np.stack([SIZE.width - rows[:, 2], rows[:, 1], SIZE.width - rows[:, 0], rows[:, 3]], axis=1)

    found = offsets_to(mirrored(wanted), mirrored(windows))
    np.testing.assert_allclose(found, offsets_to(wanted, windows) * [-1, 1, 1, 1], rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ((-5, 0, 0, 0), (0, 50, 80, 150)),  # half a width to the left: 20 pixels of it outside
        ((0, 10, 0, 0), (30, 150, 130, 240)),
        ((0, 0, 5 * math.log(3), 5 * math.log(9)), (0, 0, 230, 240)),
    ],
)
def test_what_would_lie_outside_is_cut_off(offsets, expected) -> None:
    window = boxes((30, 50, 130, 150))
    np.testing.assert_allclose(move_boxes(window, boxes(offsets), SIZE), [expected], atol=1e-3)


@pytest.mark.parametrize(
    "offsets",
    [(-90, 0, 0, 0), (90, 0, 0, 0), (0, 90, 0, 0), (0, -90, 0, 0), (0, 0, -1000, 0), (0, 0, 0, -1000)],
    ids=["left", "right", "below", "above", "no width", "no height"],
)
def test_a_box_that_would_leave_the_image_or_vanish_stays(offsets) -> None:
    window = boxes((30, 50, 130, 150), (30, 50, 130, 150))
    found = move_boxes(window, boxes(offsets, (1, 0, 0, 0)), SIZE)
    np.testing.assert_allclose(found, boxes((30, 50, 130, 150), (40, 50, 140, 150)), atol=1e-3)


@given(
    windows=arrays(np.float32, (3, 4), elements=st.floats(0, 320, width=32)),
    offsets=arrays(np.float32, (3, 4), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)),
)
@pytest.mark.filterwarnings("error")
def test_no_finite_offsets_break_a_box(windows, offsets) -> None:
    sides = np.array([320, 240], np.float32)
    corners = np.minimum(windows.reshape(-1, 2, 2), sides)
    windows = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    windows = windows[(windows[:, 2:] > windows[:, :2]).all(axis=1)]
    moved = move_boxes(windows, offsets[: len(windows)], SIZE)
    assert moved.dtype == np.float32
    assert len(Boxes(moved, SIZE)) == len(windows)  # refuses all that is no box inside the image


def test_growth_is_limited() -> None:
    found = move_boxes(boxes((100, 100, 101, 101)), boxes((0, 0, 3e38, 3e38)), SIZE)
    np.testing.assert_allclose(found, boxes([100.5 - 31.25, 100.5 - 31.25, 100.5 + 31.25, 100.5 + 31.25]), atol=1e-3)


def test_no_boxes() -> None:
    assert offsets_to(boxes(), boxes()).shape == move_boxes(boxes(), boxes(), SIZE).shape == (0, 4)
