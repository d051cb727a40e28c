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

# Weights are whole steps of 1/128 of a grey level, so that they sort by counting: the greatest, white against
# black in three channels, is 56,534 steps. The outside of the image lies behind all of them.
_STEPS = 128
_OUTSIDE = 65_535
_BLOCK = 256  # edges looked at together while segmenting


@compiled
def _edges(planes: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Weights [4,H,W] of planes [C,H,W]: L2 over the channels to the right, lower, lower right and lower left pixel.

    These four directions cover the 8-connected grid once; _OUTSIDE where there is no such pixel.
    """
    depth, height, width = planes.shape
    weights = np.full((4, height, width), _OUTSIDE, np.uint16)
    total = np.empty(width, np.float32)
    for y in range(height):
        for direction in range(4):
            down, right = int(direction > 0), 1 if direction in (0, 2) else (-1 if direction == 3 else 0)
            if y + down == height:
                continue
            first, last = max(0, -right), width - max(0, right)
            total[:] = 0
            for c in range(depth):
                here, there = planes[c, y], planes[c, y + down]
                for x in range(first, last):
                    difference = here[x] - there[x + right]
                    total[x] += difference * difference
            row = weights[direction, y]
            for x in range(first, last):
                row[x] = np.uint16(np.int32(np.sqrt(total[x]) * np.float32(_STEPS)))
    return weights


@compiled
def _order(weights: NDArray[np.uint16]) -> tuple[NDArray[np.uint32], NDArray[np.uint16]]:
    """Edge numbers 4 * pixel + direction and weights [E], by rising weight, equal ones in raster order."""
    directions = weights.reshape((4, -1))
    pixels = directions.shape[1]
    start = np.zeros(_OUTSIDE + 2, np.int64)
    for direction in range(4):
        for pixel in range(pixels):
            start[np.int64(directions[direction, pixel]) + 1] += 1
    for weight in range(_OUTSIDE + 1):
        start[weight + 1] += start[weight]
    count = start[_OUTSIDE]
    numbers = np.empty(4 * pixels, np.uint32)
    rising = np.empty(count, np.uint16)
    for weight in range(_OUTSIDE):
        rising[start[weight] : start[weight + 1]] = weight
    for pixel in range(pixels):
        for direction in range(4):
            weight = directions[direction, pixel]
            numbers[start[weight]] = 4 * pixel + direction
            start[weight] += 1
    return numbers[:count], rising


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
    numbers: NDArray[np.uint32], weights: NDArray[np.uint16], height: int, width: int, k: float, min_size: int
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
    state[:, 1] = k * _STEPS
    refused = np.empty((len(numbers), 2), np.uint32)
    refusals = 0
    steps = np.array([1, width, width + 1, width - 1], np.int32)
    block = np.empty((_BLOCK, 2), np.uint32)
    block_weights = np.empty(_BLOCK, np.float32)
    scale, least = np.float32(k * _STEPS), np.float32(min_size)
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

    numbers: NDArray[np.uint32]
    weights: NDArray[np.uint16]
    size: Size

    @classmethod
    def build(cls, planes: NDArray[np.float32], sigma: float = 0.8) -> "Graph":
        """The graph of an image as float32 planes [C,H,W] in 0..255, smoothed by a Gaussian of `sigma` pixels first."""
        smooth = np.empty_like(planes)
        side = 2 * int(np.ceil(4 * sigma)) + 1
        for plane, out in zip(planes, smooth, strict=True):
            if sigma > 0:
                cv2.GaussianBlur(plane, (side, side), sigma, dst=out, borderType=cv2.BORDER_REPLICATE)
            else:
                out[:] = plane
        return cls(*_order(_edges(smooth)), Size(*planes.shape[1:]))

    def segment(self, k: float, min_size: int) -> Labels:
        """Labels int32 [H,W] 0..n-1 by first pixel in raster order; none under `min_size` pixels if n > 1."""
        return _segment(self.numbers, self.weights, *self.size, float(k), int(min_size))
