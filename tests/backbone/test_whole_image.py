"""How boxes read the map of a whole image: interpolation by hand, point by point, and laws of the result."""

import numpy as np
import pytest
from hostile import photo

from googlenet_rcnn.backbone.whole_image import look_at, pooling_weights, squash
from googlenet_rcnn.core.types import Boxes, Size

SIZE = Size(60, 80)
SAMPLES = 4  # points a side of a bin


def interpolated(values, place):
    """A row of values, read at a place in cells: each value stands at the centre of its cell."""
    last = len(values) - 1
    place = min(max(place - 0.5, 0), last)
    left = min(int(place), max(last - 1, 0))
    right = min(left + 1, last)
    return values[left] + (place - left) * (values[right] - values[left])


def pooled_bins(values, low, high, grid):
    """The means over the bins of an interval in 0..1 of what `interpolated` reads there."""
    bins = []
    for bin_ in range(grid):
        places = [low + (high - low) * (bin_ + (k + 0.5) / SAMPLES) / grid for k in range(SAMPLES)]
        bins.append(np.mean([interpolated(values, place * len(values)) for place in places]))
    return bins


def random_boxes(count, seed=0, size=SIZE):
    random = np.random.default_rng(seed)
    limit = np.array([size.width, size.height])
    low = random.uniform(0, limit - 2, (count, 2))
    high = low + random.uniform(1, limit - low)
    return Boxes(np.hstack([low, np.minimum(high, limit)]), size)


@pytest.mark.parametrize(("grid", "cells"), [(1, 1), (1, 7), (2, 2), (3, 28), (5, 4)])
def test_weights_give_what_interpolation_gives(grid, cells) -> None:
    random = np.random.default_rng(grid + cells)
    low = random.uniform(-0.3, 1.0, 20)
    high = low + random.uniform(0.0, 1.2, 20)
    values = random.normal(size=cells)
    found = pooling_weights(low, high, grid, cells) @ values
    expected = [pooled_bins(values, a, b, grid) for a, b in zip(low, high, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_weights_are_shares_of_one() -> None:
    random = np.random.default_rng(3)
    weights = pooling_weights(random.uniform(-1, 1, 50), random.uniform(1, 2, 50), 3, 14)
    assert weights.shape == (50, 3, 14)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=2), 1)


def test_beyond_the_map_its_edge_goes_on() -> None:
    weights = pooling_weights(np.array([-2.0, 1.5]), np.array([-1.0, 3.0]), 2, 5)
    assert (weights[0] == [1, 0, 0, 0, 0]).all()
    assert (weights[1] == [0, 0, 0, 0, 1]).all()


def test_a_mirrored_interval_reads_the_mirrored_row() -> None:
    random = np.random.default_rng(4)
    low = random.uniform(0, 0.5, 10)
    high = low + 0.4
    there, back = pooling_weights(low, high, 3, 8), pooling_weights(1 - high, 1 - low, 3, 8)
    np.testing.assert_allclose(back, there[:, ::-1, ::-1], atol=1e-12)


def test_no_intervals_have_no_weights() -> None:
    assert pooling_weights(np.zeros(0), np.zeros(0), 3, 14).shape == (0, 3, 14)


@pytest.mark.parametrize("context", [0.5, 1.0, 1.25])
def test_a_look_reads_the_map_as_by_hand(context) -> None:
    boxes, grid, cells = random_boxes(12), 3, 6
    map_ = np.random.default_rng(5).normal(size=(cells, cells))
    looks = look_at(boxes, grid, context, cells)
    found = np.einsum("nru,nsv,uv->nrs", looks.rows, looks.columns, map_)
    for row, (x1, y1, x2, y2) in enumerate(boxes.coordinates.astype(np.float64)):
        grown = (context - 1) / 2
        left, right = (x1 - grown * (x2 - x1)) / SIZE.width, (x2 + grown * (x2 - x1)) / SIZE.width
        top, bottom = (y1 - grown * (y2 - y1)) / SIZE.height, (y2 + grown * (y2 - y1)) / SIZE.height
        across = np.array([pooled_bins(line, left, right, grid) for line in map_])  # [cells,grid]
        expected = np.array([pooled_bins(line, top, bottom, grid) for line in across.T]).T
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_geometry_is_in_shares_of_the_image() -> None:
    looks = look_at(Boxes(np.array([[20.0, 15.0, 60.0, 30.0]]), SIZE), 2, 1.25, 4)
    shares = [0.25, 0.25, 0.75, 0.5, 0.5, 0.25]
    np.testing.assert_allclose(looks.geometry, [[*shares, *np.log([0.501, 0.251])]], rtol=1e-6)
    assert {part.dtype for part in looks} == {np.dtype(np.float32)}


def test_looks_do_not_change_when_image_and_boxes_grow_together() -> None:
    boxes = random_boxes(9, seed=6)
    larger = Boxes(boxes.coordinates * 4, Size(SIZE.height * 4, SIZE.width * 4))
    for a, b in zip(look_at(boxes, 3, 1.25, 7), look_at(larger, 3, 1.25, 7), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_look_depends_on_no_other_box() -> None:
    boxes = random_boxes(9, seed=7)
    together = look_at(boxes, 3, 1.25, 7)
    for row in range(len(boxes)):
        alone = look_at(boxes[row : row + 1], 3, 1.25, 7)
        assert all((one[0] == many[row]).all() for one, many in zip(alone, together, strict=True))


def test_no_boxes_have_no_looks() -> None:
    looks = look_at(Boxes.empty(SIZE), 3, 1.25, 7)
    assert [part.shape for part in looks] == [(0, 3, 7), (0, 3, 7), (0, 8)]


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (90, 3), (64, 64), (300, 200)])
def test_squashed_pictures_are_square_and_keep_their_mean(size) -> None:
    pixels = photo(*size)
    found = squash(pixels, 64)
    assert found.shape == (64, 64, 3)
    assert found.dtype == np.uint8
    assert abs(found.mean() - pixels.mean()) < 4
    assert (squash(np.full((*size, 3), 77, np.uint8), 64) == 77).all()


def test_squashing_keeps_what_is_left_of_what() -> None:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:20, :50] = (255, 0, 0)
    found = squash(pixels, 32)
    assert (found[2:14, 2:14] == (255, 0, 0)).all()
    assert not found[18:].any()
    assert not found[:, 18:].any()
    assert (squash(pixels[:, ::-1], 32) == found[:, ::-1]).all()
