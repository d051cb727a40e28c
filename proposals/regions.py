"""What the grouping knows of a region: size, box and two histograms that merge by a size-weighted mean.

Texture is measured on three channels that no hue rotation in HSV changes (the largest of R, G and B, the
smallest, and their difference) in place of the channels of each colour space: hue is an angle whose
derivative jumps at red, and so the texture answers to structure only, the colour histogram to colour.
It is therefore computed once per image. Histograms sum to 1 over all channels (Uijlings 2013, section 3.2).
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.compiled import compiled

__all__ = [
    "COLOUR_BINS",
    "ORIENTATIONS",
    "TEXTURE_BINS",
    "Regions",
    "colour_bins",
    "describe",
    "texture_bins",
]

COLOUR_BINS = 25
TEXTURE_BINS = 10
ORIENTATIONS = 8

_SIGMA = 1.0
_OFFSETS = np.arange(-4, 5, dtype=np.float64)
_SMOOTH = np.exp(-(_OFFSETS**2) / (2 * _SIGMA**2))
_SMOOTH /= _SMOOTH.sum()
_SLOPE = _OFFSETS / _SIGMA**2 * _SMOOTH
_ANGLES = np.arange(ORIENTATIONS) * (2 * np.pi / ORIENTATIONS)
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# The greatest response a 0..255 channel can give: white under the kernel's positive part, black elsewhere.
# The range comes from the kernel, not from the data, so histograms of different images are comparable.
_ALONG_X, _ALONG_Y = np.outer(_SMOOTH, _SLOPE), np.outer(_SLOPE, _SMOOTH)
_LIMITS = np.array([255 * np.maximum(c * _ALONG_X + s * _ALONG_Y, 0).sum() for c, s in _DIRECTIONS])


class Regions(NamedTuple):
    """Features of n regions: sizes [n] (pixels), boxes [n,4] x1 y1 x2 y2, histograms, neighbours."""

    sizes: NDArray[np.int64]
    boxes: NDArray[np.int32]
    colour: NDArray[np.float64]
    texture: NDArray[np.float64]
    pairs: NDArray[np.int32]


def colour_bins(channels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bin 0..24 of every value of an image [H,W,C] in 0..255."""
    scaled = channels * np.float32(COLOUR_BINS / 255)
    return np.asarray(np.minimum(scaled, np.float32(COLOUR_BINS - 1)).astype(np.uint8))


@compiled
def _quantise(
    slope_x: NDArray[np.float32],
    slope_y: NDArray[np.float32],
    directions: NDArray[np.float64],
    limits: NDArray[np.float64],
    bins: int,
) -> NDArray[np.uint8]:
    """Bins [H,W,C*8] of the half-rectified derivative along each direction."""
    height, width, depth = slope_x.shape
    count = len(limits)
    out = np.empty((height, width, depth * count), np.uint8)
    factor = np.empty((count, 2), np.float32)
    for o in range(count):
        factor[o, 0] = directions[o, 0] * bins * bins / limits[o]
        factor[o, 1] = directions[o, 1] * bins * bins / limits[o]
    top = np.float32(bins * bins - 1)
    for y in range(height):
        for x in range(width):
            for c in range(depth):
                for o in range(count):
                    response = factor[o, 0] * slope_x[y, x, c] + factor[o, 1] * slope_y[y, x, c]
                    response = min(max(response, np.float32(0)), top)
                    # Bins widen with the square: slopes of photographs crowd near zero.
                    out[y, x, c * count + o] = np.uint8(np.sqrt(response))
    return out


def texture_bins(image: Image) -> NDArray[np.uint8]:
    """Bin 0..9 [H,W,24] of the Gaussian derivatives (sigma 1) of three channels in 8 directions.

    The directions are 45 degrees apart over the whole circle, so a slope and its opposite are told apart.
    """
    red, green, blue = np.moveaxis(image, 2, 0)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    channels = np.stack([high, low, high - low], axis=2).astype(np.float32)
    border, deep = cv2.BORDER_REPLICATE, cv2.CV_32F
    along_x = np.asarray(cv2.sepFilter2D(channels, deep, _SLOPE, _SMOOTH, borderType=border), np.float32)
    along_y = np.asarray(cv2.sepFilter2D(channels, deep, _SMOOTH, _SLOPE, borderType=border), np.float32)
    slope_x, slope_y = along_x.reshape(channels.shape), along_y.reshape(channels.shape)
    return _quantise(slope_x, slope_y, _DIRECTIONS, _LIMITS, TEXTURE_BINS)


@compiled
def _histograms(labels: NDArray[np.int32], bins: NDArray[np.uint8], count: int, width: int) -> NDArray[np.float64]:
    """Histograms [n, D*width] of bins [H,W,D] per region, each summing to 1."""
    height, length, depth = bins.shape
    counts = np.zeros((count, depth * width), np.int32)
    size = np.zeros(count, np.int64)
    for y in range(height):
        for x in range(length):
            region = labels[y, x]
            size[region] += 1
            for d in range(depth):
                counts[region, d * width + bins[y, x, d]] += 1
    out = np.empty((count, depth * width), np.float64)
    for region in range(count):
        total = size[region] * depth
        for b in range(depth * width):
            out[region, b] = counts[region, b] / total
    return out


@compiled
def _geometry(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Sizes [n], boxes [n,4] and neighbour codes lower * n + higher (with repeats) of labels [H,W]."""
    height, width = labels.shape
    sizes = np.zeros(count, np.int64)
    boxes = np.zeros((count, 4), np.int32)
    codes = np.empty(4 * height * width, np.int64)
    used = 0
    for y in range(height):
        for x in range(width):
            a = labels[y, x]
            if sizes[a] == 0:
                boxes[a] = (x, y, x + 1, y + 1)
            sizes[a] += 1
            boxes[a, 0] = min(boxes[a, 0], x)
            boxes[a, 2] = max(boxes[a, 2], x + 1)
            boxes[a, 3] = y + 1
            for step_y, step_x in ((0, 1), (1, 0), (1, 1), (1, -1)):
                other_y, other_x = y + step_y, x + step_x
                if other_y >= height or other_x < 0 or other_x >= width:
                    continue
                b = labels[other_y, other_x]
                if a != b:
                    code = np.int64(min(a, b)) * count + max(a, b)
                    if used == 0 or codes[used - 1] != code:
                        codes[used] = code
                        used += 1
    return sizes, boxes, codes[:used].copy()


def describe(labels: NDArray[np.int32], colour: NDArray[np.uint8], texture: NDArray[np.uint8]) -> Regions:
    """Features of the regions of labels [H,W] (0..n-1, all used) from colour bins [H,W,C] and texture bins.

    Neighbours share a pixel side or corner, as in the 8-connected graph; pairs [P,2] rise, lower label first.
    """
    count = int(labels.max()) + 1
    sizes, boxes, codes = _geometry(labels, count)
    pairs = np.stack(np.divmod(np.unique(codes), count), axis=1).astype(np.int32)
    return Regions(
        sizes,
        boxes,
        _histograms(labels, colour, count, COLOUR_BINS),
        _histograms(labels, texture, count, TEXTURE_BINS),
        pairs,
    )
