"""Where an object lies, by the vote of all boxes that saw it (Gidaris and Komodakis 2015, arXiv:1505.01749, section 5).

Non-maximum suppression keeps the box that was scored best, and that is seldom the one that fits best: its neighbours
know better on average.
"""

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import intersection_over_union

__all__ = ["vote_boxes"]


def vote_boxes(
    kept: NDArray[np.float32], boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float
) -> NDArray[np.float32]:
    """The mean, weighted by `scores` [N], of the `boxes` [N,4] that overlap each of `kept` [K,4] by at least `overlap`.

    A box that none overlaps, or none with a score, stays where it is.
    """
    if not len(kept) or not len(boxes):
        return kept
    weights = np.where(intersection_over_union(kept, boxes) >= overlap, scores, 0).astype(np.float64)  # [K,N]
    total = weights.sum(axis=1, keepdims=True)
    means = np.divide(weights @ boxes, total, out=kept.astype(np.float64), where=total > 0)
    # No box reaches beyond the image, and rounding must not.
    return np.where(total > 0, np.clip(means, boxes.min(axis=0), boxes.max(axis=0)), kept).astype(np.float32)
