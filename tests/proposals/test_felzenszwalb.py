"""The segmentation against a slow one written from the definition."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from googlenet_rcnn.proposals.felzenszwalb import Graph


def slow_segments(planes: NDArray[np.float32], k: float, min_size: int) -> NDArray[np.int64]:
    """Labels by sets of pixels: sort all pairs of the 8-connected grid, merge by the predicate."""
    channels = np.moveaxis(planes, 0, 2)
    height, width, _ = channels.shape
    edges = []
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
                if y + dy < height and 0 <= x + dx < width:
                    difference = channels[y, x] - channels[y + dy, x + dx]
                    total = np.float32(0)
                    for part in difference:
                        total += part * part
                    edges.append((float(np.floor(np.sqrt(total) * 128)) / 128, (y, x), (y + dy, x + dx)))
    edges.sort(key=lambda edge: edge[0])
    members = {(y, x): {(y, x)} for y in range(height) for x in range(width)}
    internal = dict.fromkeys(members, 0.0)
    name = {pixel: pixel for pixel in members}

    def merge(a: tuple[int, int], b: tuple[int, int], weight: float) -> None:
        members[a] |= members.pop(b)
        internal[a] = weight
        for pixel in members[a]:
            name[pixel] = a

    for weight, p, q in edges:
        a, b = name[p], name[q]
        if a != b and all(weight <= internal[c] + k / len(members[c]) for c in (a, b)):
            merge(a, b, weight)
    for weight, p, q in edges:
        a, b = name[p], name[q]
        if a != b and min(len(members[a]), len(members[b])) < min_size:
            merge(a, b, weight)
    numbers: dict[tuple[int, int], int] = {}
    flat = [numbers.setdefault(name[y, x], len(numbers)) for y in range(height) for x in range(width)]
    return np.array(flat).reshape(height, width)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("depth", [1, 3])
def test_labels_equal_those_of_the_definition(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 20, 2)
    # Few distinct values give many equal weights: the order of ties is tested too.
    channels = (rng.integers(0, 4, (height, width, depth)) * 60).astype(np.float32)
    if seed % 2:
        blurred = np.asarray(cv2.blur(channels, (3, 3)), dtype=np.float32)
        channels = blurred.reshape(height, width, depth)
    planes = np.ascontiguousarray(np.moveaxis(channels, 2, 0))
    graph = Graph.build(planes, sigma=0)
    for k, min_size in ((20, 1), (100, 4), (300, 20)):
        assert np.array_equal(graph.segment(k, min_size), slow_segments(planes, k, min_size))


def test_weights_rise_and_every_edge_is_there_once() -> None:
    planes = np.random.default_rng(0).uniform(0, 255, (3, 7, 9)).astype(np.float32)
    graph = Graph.build(planes)
    assert (np.diff(graph.weights.astype(int)) >= 0).all()
    assert len(set(graph.numbers.tolist())) == len(graph.numbers) == 7 * 8 + 6 * 9 + 2 * 6 * 8


def test_no_region_is_smaller_than_the_minimum() -> None:
    planes = np.random.default_rng(1).uniform(0, 255, (3, 60, 50)).astype(np.float32)
    labels = Graph.build(planes).segment(50, 40)
    assert labels.dtype == np.int32
    assert np.bincount(labels.ravel()).min() >= 40


def test_labels_are_numbered_by_first_pixel() -> None:
    planes = np.random.default_rng(2).uniform(0, 255, (3, 30, 30)).astype(np.float32)
    labels = Graph.build(planes).segment(20, 5)
    _, first = np.unique(labels, return_index=True)
    assert len(first) > 3
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 1, 9), (3, 9, 1), (1, 2, 2)])
def test_thin_and_uniform_images_are_one_region(shape: tuple[int, int, int]) -> None:
    assert not Graph.build(np.full(shape, 9, np.float32)).segment(50, 50).any()


def test_the_greatest_weight_keeps_its_order() -> None:
    # White beside black in all channels is the steepest edge there is: it must sort last and not overflow.
    planes = np.zeros((3, 1, 4), np.float32)
    planes[:, 0, 1:] = 255
    planes[:, 0, 3] = 250
    graph = Graph.build(planes, sigma=0)
    assert (graph.numbers // 4).tolist() == [1, 2, 0]
    assert graph.weights[-1] == int(np.sqrt(3 * 255**2) * 128)
