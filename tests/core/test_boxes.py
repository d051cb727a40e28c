"""Laws of box geometry, against answers counted pixel by pixel or worked out by the plainest loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet_rcnn.core.boxes import area, clip, intersection_over_union, nms, scale, turn
from googlenet_rcnn.core.pixels import turn as turn_pixels


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def random_boxes(count: int, seed: int, side: int = 40) -> np.ndarray:
    random = np.random.default_rng(seed)
    corner = random.integers(0, side, (count, 2))
    return np.hstack([corner, corner + random.integers(1, side // 2, (count, 2))]).astype(np.float32)


def iou_by_pixels(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two integer boxes by painting them."""
    canvas = np.zeros((2, 64, 64), dtype=bool)
    for layer, (x1, y1, x2, y2) in zip(canvas, (a.astype(int), b.astype(int)), strict=True):
        layer[y1:y2, x1:x2] = True
    return (canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum()


def nms_by_pairs(rows: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    """Greedy suppression as its definition reads."""
    kept: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: (-scores[i], i)):
        overlaps = [intersection_over_union(rows[[i]], rows[[j]])[0, 0] for j in kept]
        if all(overlap <= threshold for overlap in overlaps):
            kept.append(i)
    return kept


def test_iou_equals_counting_pixels() -> None:
    a, b = random_boxes(12, 1), random_boxes(9, 2)
    expected = [[iou_by_pixels(one, other) for other in b] for one in a]
    np.testing.assert_allclose(intersection_over_union(a, b), expected, rtol=1e-12)
    np.testing.assert_array_equal(intersection_over_union(a, b), intersection_over_union(b, a).T)
    np.testing.assert_array_equal(np.diag(intersection_over_union(a, a)), 1)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 9, 9), (5, 0, 14, 9), 2 / 7),  # as half-open boxes
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),  # the same numbers read as inclusive pixels
        ((0, 0, 4, 4), (4, 0, 8, 4), 0),  # touching is not overlapping
        ((0, 0, 4, 4), (9, 9, 10, 10), 0),
        ((2, 2, 2, 2), (2, 2, 2, 2), 0),  # nothing shares nothing
        ((0, 0, 1e6, 1e6), (0, 0, 1e6, 5e5), 0.5),
    ],
)
def test_iou_of_known_pairs(a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert intersection_over_union(boxes(a), boxes(b))[0, 0] == pytest.approx(expected, abs=1e-12)


def test_no_boxes_are_ordinary() -> None:
    none, one = boxes(), boxes((0, 0, 2, 3))
    assert area(none).shape == (0,)
    assert intersection_over_union(none, one).shape == (0, 1)
    assert intersection_over_union(one, none).shape == (1, 0)
    assert clip(none, 5, 5).shape == scale(none, 2, 2).shape == (0, 4)
    kept = nms(none, np.zeros(0), 0.5)
    assert kept.shape == (0,)
    assert kept.dtype == np.int64


def test_area_is_of_half_open_boxes() -> None:
    assert area(boxes((0, 0, 9, 9), (1, 2, 4, 4), (5, 5, 5, 9), (5, 5, 3, 9))).tolist() == [81, 6, 0, 0]


def test_clip_stays_inside_and_is_done_after_once() -> None:
    rows = boxes((-3, -4, 5, 6), (2, 3, 50, 60), (1, 1, 2, 2), (30, 30, 40, 40))
    cut = clip(rows, height=10, width=20)
    assert cut.tolist() == [[0, 0, 5, 6], [2, 3, 20, 10], [1, 1, 2, 2], [20, 10, 20, 10]]
    assert cut.dtype == np.float32
    np.testing.assert_array_equal(clip(cut, 10, 20), cut)
    assert rows[0, 0] == -3  # the argument is left alone


def test_scale_goes_there_and_back() -> None:
    rows = random_boxes(20, 3)
    assert scale(boxes((1, 2, 3, 4)), height_factor=10, width_factor=2).tolist() == [[2, 20, 6, 40]]
    np.testing.assert_array_equal(scale(scale(rows, 4, 0.5), 0.25, 2), rows)
    np.testing.assert_allclose(area(scale(rows, 2, 3)), 6 * area(rows))


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_nms_equals_its_definition(threshold: float, seed: int) -> None:
    rows = random_boxes(60, seed)
    scores = np.random.default_rng(seed).integers(0, 12, 60) / 12  # many ties
    assert nms(rows, scores, threshold).tolist() == nms_by_pairs(rows, scores, threshold)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_nms_keeps_a_set_that_is_apart_and_covers_the_rest(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 15))
    corner = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9))
    drawn = data.draw(st.lists(corner, min_size=count, max_size=count))
    rows = boxes(*[(x, y, x + w, y + h) for x, y, w, h in drawn])
    scores = np.array(data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), dtype=float)
    kept = nms(rows, scores, 0.3)
    overlap = intersection_over_union(rows, rows)
    assert (overlap[np.ix_(kept, kept)][~np.eye(len(kept), dtype=bool)] <= 0.3).all()
    for lost in set(range(count)) - set(kept.tolist()):
        assert any(overlap[lost, k] > 0.3 and (-scores[k], k) < (-scores[lost], lost) for k in kept)
    assert (np.diff(scores[kept]) <= 0).all()


# FAULTS 91
def test_nms_of_a_hundred_thousand_boxes_is_that_of_those_it_keeps() -> None:
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 1000, (100, 2))[generator.integers(100, size=100_000)]
    corners = corners + generator.normal(0, 2, corners.shape)
    boxes = np.hstack([corners, corners + 50]).astype(np.float32)
    scores = generator.random(len(boxes))
    kept = nms(boxes, scores, 0.3)
    assert 50 < len(kept) < 150
    assert np.array_equal(kept[nms(boxes[kept], scores[kept], 0.3)], kept)


def test_nms_takes_ties_in_row_order_and_only_more_than_the_threshold() -> None:
    same = boxes((0, 0, 10, 10), (0, 0, 10, 10), (50, 50, 60, 60))
    assert nms(same, np.array([0.5, 0.5, 0.5]), 0.3).tolist() == [0, 2]
    half = boxes((0, 0, 10, 10), (0, 0, 10, 5))  # overlap exactly 1/2
    assert nms(half, np.array([0.9, 0.8]), 0.5).tolist() == [0, 1]
    assert nms(half, np.array([0.9, 0.8]), np.nextafter(0.5, 0)).tolist() == [0]


def test_nms_does_not_depend_on_place_or_row_order() -> None:
    rows, scores = random_boxes(80, 7), np.random.default_rng(7).permutation(80) / 80
    kept = nms(rows, scores, 0.3)
    np.testing.assert_array_equal(nms(rows + np.float32(1e6), scores, 0.3), kept)
    order = np.random.default_rng(8).permutation(80)
    np.testing.assert_array_equal(order[nms(rows[order], scores[order], 0.3)], kept)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nms_refuses_what_is_not_finite(bad: float) -> None:
    rows = boxes((0, 0, 1, 1), (0, 0, 2, 2))
    with pytest.raises(ValueError, match="finite"):
        nms(rows, np.array([0.5, bad]), 0.5)
    rows[0, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        nms(rows, np.array([0.5, 0.5]), 0.5)


@pytest.mark.parametrize("orientation", range(10))
def test_turned_boxes_mark_the_pixels_that_were_marked(orientation: int) -> None:
    rows = boxes((1, 2, 5, 4), (0, 0, 9, 6), (3, 5, 4, 6))
    stored = np.zeros((3, 6, 9, 3), np.uint8)
    for picture, (x1, y1, x2, y2) in zip(stored, rows.astype(int), strict=True):
        picture[y1:y2, x1:x2] = 1
    shown = [turn_pixels(picture, orientation) for picture in stored]
    height, width = shown[0].shape[:2]
    for picture, (x1, y1, x2, y2) in zip(shown, turn(rows, orientation, height, width).astype(int), strict=True):
        assert picture[y1:y2, x1:x2].all()
        assert picture.sum() == 3 * (y2 - y1) * (x2 - x1)
    assert turn(rows[:0], orientation, height, width).shape == (0, 4)
