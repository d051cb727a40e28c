"""The working image of a proposer, and the way back: boxes leave in pixels of the image that was given."""

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core import boxes as box_geometry
from googlenet_rcnn.core.types import Boxes, Image, Proposals, Size

__all__ = ["MAX_HEIGHT", "MAX_WIDTH", "proposals_from_working", "working_image"]

MAX_HEIGHT = 1000
"""Greatest height of a working image in pixels: bounds the work on very tall images."""

MAX_WIDTH = 65_535
"""Greatest width of a working image in pixels: a coordinate fits into 16 bits."""


def working_image(image: Image, width: int) -> Image:
    """The image scaled to `width` pixels, less if it would be taller than MAX_HEIGHT; sides stay >= 1."""
    height, given = image.shape[:2]
    factor = min(width / given, MAX_HEIGHT / height)
    size = max(1, round(given * factor)), max(1, round(height * factor))
    if size == (given, height):
        return np.ascontiguousarray(image)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)


def proposals_from_working(
    boxes: NDArray[np.int32], working: Size, original: Size, min_side: int, name: str
) -> Proposals:
    """Proposals from integer boxes [N,4] of the working image, best first.

    Boxes with a side under `min_side` working pixels go, and of equal boxes all but the first; if none is
    left, the whole image is proposed. Scores fall evenly from 1 by rank.
    """
    kept = boxes[(boxes[:, 2:] - boxes[:, :2] >= max(1, min_side)).all(axis=1)]
    # One number a box, since sides fit into 16 bits: sorting rows takes ten times as long.
    codes = kept.astype(np.uint16).view(np.uint64)[:, 0]
    _, first = np.unique(codes, return_index=True)
    kept = kept[np.sort(first)]
    if len(kept) == 0:
        kept = np.array([[0, 0, working.width, working.height]], dtype=np.int32)
    scaled = box_geometry.scale(
        kept.astype(np.float32), original.height / working.height, original.width / working.width
    )
    count = len(kept)
    scores = (1.0 - np.arange(count) / count).astype(np.float32)
    return Proposals.from_source(Boxes(box_geometry.clip(scaled, *original), original), scores, name)
