"""One look at a whole image: it is squashed to a square, and boxes read the map that the trunk makes of it."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Boxes, Image

__all__ = ["BoxLooks", "look_at", "pooling_weights", "squash"]

_SAMPLES = 4  # points a side of a pooling bin at which the map is interpolated


class BoxLooks(NamedTuple):
    """How n boxes read a map: the weights of its columns [n,grid,W] and rows [n,grid,H] in each bin, and where the
    boxes lie, float32 [n,8]: corners, sides and the logarithms of the sides, in shares of the image."""

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    geometry: NDArray[np.float32]


def squash(image: Image, side: int) -> NDArray[np.uint8]:
    """The whole image [H,W,3] as a square [side,side,3]."""
    height, width = image.shape[:2]
    method = cv2.INTER_AREA if height * width > side * side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), dtype=np.uint8)


def pooling_weights(low: NDArray[np.float64], high: NDArray[np.float64], grid: int, cells: int) -> NDArray[np.float64]:
    """Weights [K,grid,cells] that average a row of `cells` over the bins of intervals [K] in 0..1.

    The row is interpolated linearly between the cells' centres and goes on flat beyond the outermost.
    """
    steps = (np.arange(grid * _SAMPLES) + 0.5) / (grid * _SAMPLES)
    points = low[:, None] + (high - low)[:, None] * steps  # [K,grid*samples]
    place = np.clip(points * cells - 0.5, 0, cells - 1)[..., None]
    weights = np.maximum(0, 1 - np.abs(place - np.arange(cells)))
    return np.asarray(weights.reshape(len(low), grid, _SAMPLES, cells).mean(axis=2))


def look_at(boxes: Boxes, grid: int, context: float, cells: int) -> BoxLooks:
    """Looks of boxes of an image at its map of `cells` x `cells`, each at `context` times its sides."""
    shares = boxes.coordinates.astype(np.float64) / np.tile([boxes.size.width, boxes.size.height], 2)
    centre, sides = (shares[:, :2] + shares[:, 2:]) / 2, shares[:, 2:] - shares[:, :2]
    low, high = centre - sides / 2 * context, centre + sides / 2 * context
    columns, rows = (pooling_weights(low[:, a], high[:, a], grid, cells).astype(np.float32) for a in (0, 1))
    geometry = np.concatenate([shares, sides, np.log(sides + 1e-3)], axis=1).astype(np.float32)
    return BoxLooks(columns, rows, geometry)
