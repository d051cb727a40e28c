"""Box regression (Girshick et al. 2014, appendix C): where an object lies, seen from a window that shows part of it.

The offsets of an object from a window are the move of its centre in window widths and heights, and the
logarithms of the ratios of width and height. The network learns them divided by SCALE, Fast R-CNN's, which
makes them about as large as its class scores. R-CNN fits a ridge regression on features of a finished network;
here one linear layer beside the classifier learns with it (Girshick 2015, section 2.3), so that the features
come to tell where an object ends.
"""

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import clip
from googlenet_rcnn.core.types import Size

__all__ = ["SCALE", "move_boxes", "offsets_to"]

SCALE = np.array([0.1, 0.1, 0.2, 0.2], dtype=np.float32)
_MOST = np.array([1e6, 1e6, *np.log([1000 / 16, 1000 / 16])])  # a wild network must not overflow


def offsets_to(objects: NDArray[np.float32], windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Offsets [N,4] that move each window [N,4] onto its object [N,4]."""
    sides, wanted = windows[:, 2:] - windows[:, :2], objects[:, 2:] - objects[:, :2]
    moves = (objects[:, :2] + wanted / 2 - windows[:, :2] - sides / 2) / sides
    return np.hstack([moves, np.log(wanted / sides)]).astype(np.float32) / SCALE


def move_boxes(boxes: NDArray[np.float32], offsets: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Boxes [N,4] moved by offsets [N,4] and clipped to the image; one that would leave it stays where it was."""
    corners = boxes.astype(np.float64)
    moves = np.clip(offsets.astype(np.float64) * SCALE, -_MOST[0], _MOST)
    sides = corners[:, 2:] - corners[:, :2]
    centres = corners[:, :2] + sides / 2 + moves[:, :2] * sides
    half = sides * np.exp(moves[:, 2:]) / 2
    moved = clip(np.hstack([centres - half, centres + half]).astype(np.float32), *size)
    inside = (moved[:, :2] < moved[:, 2:]).all(axis=1, keepdims=True)
    return np.where(inside, moved, boxes)
