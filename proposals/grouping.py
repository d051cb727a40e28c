"""Hierarchical grouping: the most similar neighbours merge until one region is left (Uijlings 2013, alg. 1).

Equal similarities are taken by the lower pair of region numbers, so the sequence of merges is defined.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.proposals.compiled import compiled, compiled_exact_sums
from googlenet_rcnn.proposals.regions import COLOUR_BINS, TEXTURE_BINS, Regions

__all__ = ["SIMILARITIES", "Merges", "group"]

SIMILARITIES = ("colour", "texture", "size", "fill")
"""Names of the similarities; a strategy is a tuple of some of them, added with weight 1."""


class Merges(NamedTuple):
    """Merges in order: pairs [M,2] of region numbers and boxes [M,4]; merge m makes region n + m."""

    pairs: NDArray[np.int32]
    boxes: NDArray[np.int32]


@compiled_exact_sums
def _shared(histograms: NDArray[np.int32], a: int, b: int, size_a: float, size_b: float) -> float:
    """Intersection of the histograms of a and b as shares of their sizes, in whole numbers over one denominator.

    The sums stay below 2**53 for images of up to 38 million pixels.
    """
    counts_a, counts_b = histograms[a], histograms[b]
    total = 0.0
    for bin_ in range(len(counts_a)):
        total += min(counts_a[bin_] * size_b, counts_b[bin_] * size_a)
    return total / (size_a * size_b)


@compiled
def _similarity(
    a: int,
    b: int,
    active: NDArray[np.bool_],
    sizes: NDArray[np.int64],
    boxes: NDArray[np.int32],
    colour: NDArray[np.int32],
    texture: NDArray[np.int32],
    pixels: int,
) -> float:
    """Sum of the active similarities of regions a and b (Uijlings 2013, equations 1 to 6)."""
    total = 0.0
    size_a, size_b = np.float64(sizes[a]), np.float64(sizes[b])
    if active[0]:
        total += _shared(colour, a, b, size_a, size_b) / (colour.shape[1] // COLOUR_BINS)
    if active[1]:
        total += _shared(texture, a, b, size_a, size_b) / (texture.shape[1] // TEXTURE_BINS)
    both = sizes[a] + sizes[b]
    if active[2]:
        total += 1.0 - both / pixels
    if active[3]:
        width = max(boxes[a, 2], boxes[b, 2]) - min(boxes[a, 0], boxes[b, 0])
        height = max(boxes[a, 3], boxes[b, 3]) - min(boxes[a, 1], boxes[b, 1])
        total += 1.0 - (width * height - both) / pixels
    return total


@compiled
def _grown(values: NDArray[np.int32], rows: int) -> NDArray[np.int32]:
    """The rows of [n,D] followed by free ones, `rows` in all."""
    out = np.empty((rows, values.shape[1]), np.int32)
    out[: len(values)] = values
    return out


@compiled
def _alive(parent: NDArray[np.int32], region: int) -> int:
    """The region that a merged one belongs to now."""
    while parent[region] != region:
        parent[region] = parent[parent[region]]
        region = parent[region]
    return region


@compiled
def _group(
    first_sizes: NDArray[np.int64],
    first_boxes: NDArray[np.int32],
    first_colour: NDArray[np.int32],
    first_texture: NDArray[np.int32],
    pairs: NDArray[np.int32],
    active: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Merged pairs [M,2] and their boxes [M,4]."""
    count = len(first_sizes)
    rows = 2 * count - 1
    sizes = np.zeros(rows, np.int64)
    sizes[:count] = first_sizes
    boxes = np.zeros((rows, 4), np.int32)
    boxes[:count] = first_boxes
    colour = _grown(first_colour, rows if active[0] else count)
    texture = _grown(first_texture, rows if active[1] else count)
    pixels = first_sizes.sum()
    parent = np.arange(rows).astype(np.int32)
    merged = np.zeros((count - 1, 2), np.int32)

    # Each region's neighbours are a linked list; an entry may be out of date and is resolved by `_alive`.
    head = np.full(rows, -1, np.int32)
    entry = np.empty(2 * len(pairs), np.int32)
    following = np.empty(2 * len(pairs), np.int32)
    heap = [(0.0, np.int64(0), np.int64(0)) for _ in range(len(pairs))]
    for p in range(len(pairs)):
        a, b = pairs[p, 0], pairs[p, 1]
        entry[2 * p], following[2 * p], head[a] = b, head[a], 2 * p
        entry[2 * p + 1], following[2 * p + 1], head[b] = a, head[b], 2 * p + 1
        value = _similarity(a, b, active, sizes, boxes, colour, texture, pixels)
        heap[p] = (-value, np.int64(a), np.int64(b))
    heapify(heap)

    seen = np.full(rows, -1, np.int32)
    region = count
    while region < rows and len(heap) > 0:
        _, a, b = heappop(heap)
        if parent[a] != a or parent[b] != b:
            continue
        merged[region - count, 0], merged[region - count, 1] = a, b
        parent[a] = parent[b] = region
        sizes[region] = sizes[a] + sizes[b]
        for side in range(2):
            boxes[region, side] = min(boxes[a, side], boxes[b, side])
            boxes[region, side + 2] = max(boxes[a, side + 2], boxes[b, side + 2])
        if active[0]:
            colour[region] = colour[a] + colour[b]
        if active[1]:
            texture[region] = texture[a] + texture[b]
        seen[region] = region
        for old in (a, b):
            at = head[old]
            while at >= 0:
                next_at = following[at]
                other = _alive(parent, entry[at])
                if seen[other] != region:
                    seen[other] = region
                    entry[at], following[at], head[region] = other, head[region], at
                    value = _similarity(other, region, active, sizes, boxes, colour, texture, pixels)
                    heappush(heap, (-value, np.int64(other), np.int64(region)))
                at = next_at
        region += 1
    return merged[: region - count], boxes[count:region].copy()


def group(regions: Regions, strategy: tuple[str, ...]) -> Merges:
    """All merges of n regions under a strategy: n - 1 of them, the last covers the whole image."""
    unknown = [name for name in strategy if name not in SIMILARITIES]
    if unknown or not strategy:
        known = ", ".join(SIMILARITIES)
        raise UsageError("PROPOSAL_SETTING", f"a strategy adds some of {known}, got {list(strategy)}")
    active = np.array([name in strategy for name in SIMILARITIES])
    return Merges(*_group(*regions, active))
