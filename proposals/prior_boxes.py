"""The bare priors of a MultiBox: what it gains by looking at the image is measured against these."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Boxes, Image, Proposals, Size, as_image

__all__ = ["PriorBoxes", "boxes_from_shares"]


def boxes_from_shares(corners: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Boxes [K,4] in pixels of corners [K,4] in shares of an image's sides: clipped, at least a pixel wide and high."""
    scaled = corners.astype(np.float64) * np.tile(size[::-1], 2)
    low = np.minimum(scaled[:, :2], scaled[:, 2:])
    high = np.maximum(scaled[:, :2], scaled[:, 2:])
    limit = np.array(size[::-1], np.float64)
    low = np.clip(low, 0, limit - 1)
    high = np.clip(high, low + 1, limit)
    return np.concatenate([low, high], axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PriorBoxes:
    """Proposes the first `count` of the priors [K,4], in shares of the sides, whatever the image shows."""

    priors: NDArray[np.float32]
    count: int = 200

    def propose(self, image: Image) -> Proposals:
        """The priors in pixels of an image [H,W,3], the most common first; scores fall evenly from 1."""
        size = Size(*as_image(image).shape[:2])
        boxes = boxes_from_shares(self.priors, size)
        # In a small image several may become the same box.
        _, first = np.unique(boxes, axis=0, return_index=True)
        boxes = boxes[np.sort(first)][: self.count]
        scores = 1.0 - np.arange(len(boxes)) / len(boxes)
        return Proposals.from_source(Boxes(boxes, size), scores, "priors")
