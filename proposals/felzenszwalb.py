"""Graph-based segmentation (Felzenszwalb and Huttenlocher 2004): one graph per colour space, cut for any k.

Smoothing, edge weights and their order do not depend on k, and equal weights keep raster order, so the
labels are a function of the pixels alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.proposals.compiled import compiled

__all__ = ["Graph"]

Labels = NDArray[np.int32]

# Edge number = 4 * pixel + direction: right, down, down-right, down-left cover the 8-connected grid once.
_RADIX_BITS = 11


@compiled
def _edges(channels: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Edge numbers [E] and weights [E] (L2 over the channels of [H,W,C]) in raster order."""
    height, width, depth = channels.shape
    count = 4 * height * width - 3 * height - 3 * width + 2
    numbers = np.empty(count, np.int32)
    weights = np.empty(count, np.float32)
    at = 0
    for y in range(height):
        for x in range(width):
            for direction in range(4):
                other_y = y + (direction > 0)
                other_x = x + (1 if direction in (0, 2) else (-1 if direction == 3 else 0))
                if other_y >= height or other_x < 0 or other_x >= width:
                    continue
                total = np.float32(0)
                for c in range(depth):
                    difference = channels[y, x, c] - channels[other_y, other_x, c]
                    total += difference * difference
                numbers[at] = 4 * (y * width + x) + direction
                weights[at] = np.sqrt(total)
                at += 1
    return numbers, weights


@compiled
def _stable_order(
    numbers: NDArray[np.int32], weights: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The edges by rising weight, equal ones in their old order; weights must not be negative."""
    # Bits of non-negative floats rise with their value: a radix sort is stable and beats comparing.
    count = len(numbers)
    keys = weights.view(np.uint32)
    spare_numbers = np.empty_like(numbers)
    spare_keys = np.empty_like(keys)
    buckets = 1 << _RADIX_BITS
    for shift in range(0, 32, _RADIX_BITS):
        start = np.zeros(buckets + 1, np.int64)
        for e in range(count):
            start[((keys[e] >> shift) & (buckets - 1)) + 1] += 1
        for b in range(buckets):
            start[b + 1] += start[b]
        for e in range(count):
            bucket = (keys[e] >> shift) & (buckets - 1)
            to = start[bucket]
            start[bucket] += 1
            spare_keys[to] = keys[e]
            spare_numbers[to] = numbers[e]
        keys, spare_keys = spare_keys, keys
        numbers, spare_numbers = spare_numbers, numbers
    return numbers, keys.view(np.float32)


@compiled
def _root(parent: NDArray[np.int32], node: int) -> int:
    """Root of a node; the walked path is halved."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@compiled
def _segment(
    numbers: NDArray[np.int32], weights: NDArray[np.float32], height: int, width: int, k: float, min_size: int
) -> Labels:
    """Labels [H,W] from sorted edges: join while weight <= min(internal + k/size), then absorb the small."""
    pixels = height * width
    parent = np.arange(pixels, dtype=np.int32)
    size = np.ones(pixels, np.int32)
    threshold = np.full(pixels, k, np.float64)
    refused = np.empty((len(numbers), 2), np.int32)
    refusals = 0
    steps = np.array([1, width, width + 1, width - 1], np.int32)
    for e in range(len(numbers)):
        pixel = numbers[e] >> 2
        other = pixel + steps[numbers[e] & 3]
        # Most edges lie inside a component; equal parents tell so without a walk to the root.
        if parent[pixel] == parent[other]:
            continue
        a = _root(parent, pixel)
        b = _root(parent, other)
        if a == b:
            continue
        weight = weights[e]
        if weight <= threshold[a] and weight <= threshold[b]:
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
            threshold[a] = weight + k / size[a]
        else:
            # Only an edge refused here can join two components of the second pass.
            refused[refusals, 0] = a
            refused[refusals, 1] = b
            refusals += 1
    for e in range(refusals):
        a = _root(parent, refused[e, 0])
        b = _root(parent, refused[e, 1])
        if a != b and (size[a] < min_size or size[b] < min_size):
            if size[a] < size[b]:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
    labels = np.empty(pixels, np.int32)
    number = np.full(pixels, -1, np.int32)
    used = 0
    for pixel in range(pixels):
        root = _root(parent, pixel)
        if number[root] < 0:
            number[root] = used
            used += 1
        labels[pixel] = number[root]
    return labels.reshape((height, width))


@dataclass(frozen=True, eq=False)
class Graph:
    """The 8-connected pixel graph of an image: edge numbers and weights [E], by rising weight."""

    numbers: NDArray[np.int32]
    weights: NDArray[np.float32]
    size: Size

    @classmethod
    def build(cls, channels: NDArray[np.float32], sigma: float = 0.8) -> "Graph":
        """The graph of an image float32 [H,W,C] in 0..255, smoothed by a Gaussian of `sigma` pixels first."""
        height, width, _ = channels.shape
        smooth = channels
        if sigma > 0:
            side, border = 2 * int(np.ceil(4 * sigma)) + 1, cv2.BORDER_REPLICATE
            blurred = cv2.GaussianBlur(channels, (side, side), sigma, borderType=border)
            smooth = np.asarray(blurred, dtype=np.float32).reshape(channels.shape)
        numbers, weights = _stable_order(*_edges(smooth))
        return cls(numbers, weights, Size(height, width))

    def segment(self, k: float, min_size: int) -> Labels:
        """Labels int32 [H,W] 0..n-1 by first pixel in raster order; none under `min_size` pixels if n > 1."""
        return _segment(self.numbers, self.weights, *self.size, float(k), int(min_size))
