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
_BLOCK = 256  # edges looked at together while segmenting


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
def _join(a: int, b: int, labels: NDArray[np.uint32], following: NDArray[np.uint32], state: NDArray[np.float32]) -> int:
    """Makes two components one and returns its label, that of the larger; the smaller one's pixels are relabelled."""
    if state[a, 0] < state[b, 0]:
        a, b = b, a
    state[a, 0] += state[b, 0]
    labels[b] = a
    pixel = following[b]
    while pixel != b:
        labels[pixel] = a
        pixel = following[pixel]
    # The pixels of a component form a ring: exchanging one link of each makes two rings one.
    following[a], following[b] = following[b], following[a]
    return a


@compiled
def _segment(
    numbers: NDArray[np.int32], weights: NDArray[np.float32], height: int, width: int, k: float, min_size: int
) -> Labels:
    """Labels [H,W] from sorted edges: join while weight <= min(internal + k/size), then absorb the small.

    Every pixel holds the label of its component, so that an edge costs two reads and no walk to a root. Edges
    are looked at a block at a time first: those within a component go, without a branch, and the pixels of the
    others are in the processor's cache when their turn comes.
    """
    pixels = height * width
    labels = np.arange(pixels).astype(np.uint32)
    following = np.arange(pixels).astype(np.uint32)
    state = np.empty((pixels, 2), np.float32)  # of a component: its size and its threshold
    state[:, 0] = 1
    state[:, 1] = k
    refused = np.empty((len(numbers), 2), np.uint32)
    refusals = 0
    steps = np.array([1, width, width + 1, width - 1], np.int32)
    block = np.empty((_BLOCK, 2), np.uint32)
    block_weights = np.empty(_BLOCK, np.float32)
    scale, least = np.float32(k), np.float32(min_size)
    for first in range(0, len(numbers), _BLOCK):
        count = 0
        for e in range(first, min(first + _BLOCK, len(numbers))):
            pixel = np.uint32(numbers[e] >> 2)
            other = np.uint32(pixel + steps[numbers[e] & 3])
            block[count, 0] = pixel
            block[count, 1] = other
            block_weights[count] = weights[e]
            count += labels[pixel] != labels[other]
        for i in range(count):
            a, b = labels[block[i, 0]], labels[block[i, 1]]
            if a == b:
                continue
            weight = block_weights[i]
            if weight <= min(state[a, 1], state[b, 1]):
                joined = _join(a, b, labels, following, state)
                state[joined, 1] = weight + scale / state[joined, 0]
            else:
                # Only an edge refused here can join two components of the second pass, and only if one is small.
                refused[refusals, 0] = a
                refused[refusals, 1] = b
                refusals += min(state[a, 0], state[b, 0]) < least
    for e in range(refusals):
        a, b = labels[refused[e, 0]], labels[refused[e, 1]]
        if a != b and min(state[a, 0], state[b, 0]) < least:
            _join(a, b, labels, following, state)
    out = np.empty(pixels, np.int32)
    number = np.full(pixels, -1, np.int32)
    used = 0
    for at in range(pixels):
        label = labels[at]
        if number[label] < 0:
            number[label] = used
            used += 1
        out[at] = number[label]
    return out.reshape((height, width))


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
