"""What the grouping knows of a region: size, box, and two histograms as counts, so that merging is adding.

Texture is measured on three channels that no hue rotation in HSV changes (the largest of R, G and B, the
smallest, and their difference) in place of the channels of each colour space: hue is an angle whose
derivative jumps at red, and so the texture answers to structure only, the colour histogram to colour.
It is therefore computed once per image. A count over the size times the number of channels (of channels and
directions) is the share of Uijlings 2013, section 3.2.
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
    "texture_codes",
]

COLOUR_BINS = 25
TEXTURE_BINS = 10
ORIENTATIONS = 8

# Of a direction and its opposite at most one has a slope, so both fit into one code: 0 for neither, bins 1 to 9
# of the first, then bins 1 to 9 of the other.
_AXES = ORIENTATIONS // 2
_STEEP = TEXTURE_BINS - 1
_CODES = 1 + 2 * _STEEP

_SIGMA = 1.0
_OFFSETS = np.arange(-4, 5, dtype=np.float64)
_SMOOTH = np.exp(-(_OFFSETS**2) / (2 * _SIGMA**2))
_SMOOTH /= _SMOOTH.sum()
_SLOPE = _OFFSETS / _SIGMA**2 * _SMOOTH
_ANGLES = np.arange(_AXES) * (np.pi / _AXES)
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# The greatest response a 0..255 channel can give: white under the kernel's positive part, black elsewhere.
# The range comes from the kernel, not from the data, so histograms of different images are comparable.
_ALONG_X, _ALONG_Y = np.outer(_SMOOTH, _SLOPE), np.outer(_SLOPE, _SMOOTH)
_LIMITS = np.array([255 * np.maximum(c * _ALONG_X + s * _ALONG_Y, 0).sum() for c, s in _DIRECTIONS])


class Regions(NamedTuple):
    """Features of n regions: sizes [n] (pixels), boxes [n,4] x1 y1 x2 y2, neighbours [P,2] and two histograms.

    `colour` [n,C*25] and `texture` [n,3*8*10] count pixels: every row of 25 or 10 bins sums to the size.
    """

    sizes: NDArray[np.int64]
    boxes: NDArray[np.int32]
    colour: NDArray[np.int32]
    texture: NDArray[np.int32]
    pairs: NDArray[np.int32]


def colour_bins(planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bin 0..24 of every value of planes [C,H,W] in 0..255."""
    scaled = planes * np.float32(COLOUR_BINS / 255)
    return np.asarray(np.minimum(scaled, np.float32(COLOUR_BINS - 1), out=scaled).astype(np.uint8))


@compiled
def _quantise(
    slope_x: NDArray[np.float32], slope_y: NDArray[np.float32], factors: NDArray[np.float32], out: NDArray[np.uint8]
) -> None:
    """Writes codes [A,H,W] of the derivative along each axis, cos and sin times a scale in `factors` [A,2]."""
    top = np.float32(TEXTURE_BINS * TEXTURE_BINS - 1)
    for a in range(len(factors)):
        cosine, sine = factors[a]
        for y in range(slope_x.shape[0]):
            along_x, along_y, row = slope_x[y], slope_y[y], out[a, y]
            for x in range(slope_x.shape[1]):
                slope = cosine * along_x[x] + sine * along_y[x]
                # Bins widen with the square: slopes of photographs crowd near zero.
                bin_ = np.int32(np.sqrt(min(abs(slope), top)))
                row[x] = np.uint8(bin_ + (_STEEP if slope < 0 and bin_ > 0 else 0))


def texture_codes(image: Image) -> NDArray[np.uint8]:
    """Codes 0..18 [12,H,W] of the Gaussian derivatives (sigma 1) of three channels along four axes.

    The directions are 45 degrees apart over the whole circle, so a slope and its opposite are told apart:
    bin b > 0 of direction d < 4 has code b, bin b > 0 of the opposite direction d + 4 code 9 + b.
    """
    red, green, blue = cv2.split(image)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    factors = (_DIRECTIONS * TEXTURE_BINS**2 / _LIMITS[:, None]).astype(np.float32)
    codes = np.empty((3 * _AXES, *image.shape[:2]), np.uint8)
    for c, channel in enumerate((high, low, high - low)):
        along_x = cv2.sepFilter2D(channel, cv2.CV_32F, _SLOPE, _SMOOTH, borderType=cv2.BORDER_REPLICATE)
        along_y = cv2.sepFilter2D(channel, cv2.CV_32F, _SMOOTH, _SLOPE, borderType=cv2.BORDER_REPLICATE)
        _quantise(np.asarray(along_x), np.asarray(along_y), factors, codes[c * _AXES : (c + 1) * _AXES])
    return codes


@compiled
def _counts(labels: NDArray[np.int32], codes: NDArray[np.uint8], regions: int, width: int) -> NDArray[np.int32]:
    """How many pixels of each region have each code: [n,D,width] of codes [D,H,W]."""
    depth, height, length = codes.shape
    counts = np.zeros((regions, depth, width), np.int32)
    for y in range(height):
        for x in range(length):
            region = counts[labels[y, x]]
            for d in range(depth):
                region[d, codes[d, y, x]] += 1
    return counts


def _directions(counts: NDArray[np.int32], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Histograms [n,3*8*10] of the directions from counts [n,12,19] of codes."""
    regions = len(counts)
    histograms = np.empty((regions, 3, 2, _AXES, TEXTURE_BINS), np.int32)
    steep = counts[..., 1:].reshape(regions, 3, _AXES, 2, _STEEP)
    histograms[..., 1:] = steep.transpose(0, 1, 3, 2, 4)
    histograms[..., 0] = sizes[:, None, None, None] - histograms[..., 1:].sum(axis=-1)
    return histograms.reshape(regions, -1)


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
    """Features of the regions of labels [H,W] (0..n-1, all used) from colour bins [C,H,W] and texture codes [12,H,W].

    Neighbours share a pixel side or corner, as in the 8-connected graph; pairs [P,2] rise, lower label first.
    """
    count = int(labels.max()) + 1
    sizes, boxes, codes = _geometry(labels, count)
    pairs = np.stack(np.divmod(np.unique(codes), count), axis=1).astype(np.int32)
    colours = _counts(labels, colour, count, COLOUR_BINS).reshape(count, -1)
    return Regions(sizes, boxes, colours, _directions(_counts(labels, texture, count, _CODES), sizes), pairs)
