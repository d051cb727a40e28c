"""Geometry of boxes [N,4] `x1 y1 x2 y2`: absolute pixels, half-open, so width is x2 - x1 without +1.

With integer coordinates a half-open box has the same area as VOC's inclusive box with its +1, so no
function below needs a special case for either convention.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["area", "clip", "intersection_over_union", "nms", "scale", "turn"]

Array = NDArray[np.float32]


def area(boxes: Array) -> NDArray[np.float64]:
    """Areas [N] of boxes [N,4] in square pixels; a box turned inside out has area 0."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def intersection_over_union(a: Array, b: Array) -> NDArray[np.float64]:
    """Overlap [N,M] of boxes a [N,4] with boxes b [M,4]; 0 where the union is empty."""
    corner_a, corner_b = a.astype(np.float64)[:, None], b.astype(np.float64)[None]
    sides = np.minimum(corner_a[..., 2:], corner_b[..., 2:]) - np.maximum(corner_a[..., :2], corner_b[..., :2])
    shared = np.prod(np.maximum(sides, 0.0), axis=-1)
    union = area(a)[:, None] + area(b)[None] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def clip(boxes: Array, height: int, width: int) -> Array:
    """Boxes [N,4] cut to the image; one that lay outside becomes empty (x1 = x2 or y1 = y2)."""
    limit = np.array([width, height, width, height], dtype=np.float32)
    return np.clip(boxes, np.float32(0), limit).astype(np.float32)


def scale(boxes: Array, height_factor: float, width_factor: float) -> Array:
    """Boxes [N,4] in the coordinates of an image resized by the two factors."""
    factors = np.array([width_factor, height_factor, width_factor, height_factor], dtype=np.float64)
    return (boxes * factors).astype(np.float32)


def turn(boxes: Array, orientation: int, height: int, width: int) -> Array:
    """Boxes [N,4] of an image as stored, in the image of this size as displayed: turned as `pixels.turn` does."""
    x1, y1, x2, y2 = boxes.T
    if 5 <= orientation <= 8:
        x1, y1, x2, y2 = y1, x1, y2, x2
    if orientation in (3, 4, 7, 8):
        y1, y2 = height - y2, height - y1
    if orientation in (2, 3, 6, 7):
        x1, x2 = width - x2, width - x1
    return np.stack([x1, y1, x2, y2], axis=1).astype(np.float32)


def nms(boxes: Array, scores: NDArray[np.floating], threshold: float) -> NDArray[np.int64]:
    """Indices of the boxes [N,4] that greedy non-maximum suppression keeps, best score first.

    A box goes when it overlaps a better one by strictly more than `threshold` (R-CNN keeps o <= 0.3).
    Equal scores are taken in row order. Scores and boxes must be finite.
    """
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ValueError("nms needs finite boxes and scores")
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    coordinates = boxes.astype(np.float64)[order]
    x1, y1, x2, y2 = coordinates.T
    areas = area(boxes)[order]
    kept: list[int] = []
    rest = np.arange(len(order))
    while rest.size:
        best, rest = rest[0], rest[1:]
        kept.append(int(best))
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
        # shared / union > threshold without the division: empty boxes never suppress.
        rest = rest[shared <= threshold * (areas[best] + areas[rest] - shared)]
    return order[kept].astype(np.int64)
