"""Which windows of an image train the detector (R-CNN, arXiv:1311.2524, section 2.3).

Positive: overlap of at least 0.5 with an object; the objects themselves are among the windows. Everything
else is background. Windows that touch an object marked difficult most are neither. How much of an object
a window counts for in the loss is the business of `targets`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Boxes, GroundTruth, Proposals

__all__ = ["WindowSampling", "Windows", "assemble_windows", "nearest_objects", "sample_windows"]


class WindowSampling(Settings):
    """How many windows of each kind one image gives.

    Most false positives of an R-CNN are parts of objects and loose boxes around them: the "hard" ones.
    """

    positive_overlap: float = Field(default=0.5, gt=0, le=1)
    hard_overlap: float = Field(default=0.1, ge=0, le=1)  # background from here up is "hard": it touches an object
    positives: int = Field(default=3, ge=0)  # beside the objects themselves
    hard: int = Field(default=10, ge=0)
    background: int = Field(default=5, ge=0)
    mirror: float = Field(default=0.5, ge=0, le=1)  # chance that a window is mirrored


class Windows(NamedTuple):
    """Training windows of one image, its objects first.

    `labels` [N] are 1 + the label of the object that a window overlaps most, 0 where it touches none or a
    difficult one; `overlaps` [N] are that object's intersection over union with it, `objects` [N,4] its box (the
    window itself where there is no object).
    """

    boxes: Boxes
    labels: NDArray[np.int64]
    overlaps: NDArray[np.float64]
    objects: NDArray[np.float32]
    mirrored: NDArray[np.bool_]


class Nearest(NamedTuple):
    """Of each box: 1 + the label of the object it overlaps most (0: none), that overlap and its box, if ignored."""

    labels: NDArray[np.int64]
    overlaps: NDArray[np.float64]
    objects: NDArray[np.float32]
    ignored: NDArray[np.bool_]


def nearest_objects(boxes: NDArray[np.float32], truth: GroundTruth) -> Nearest:
    """The object that each box [N,4] overlaps most; of equal overlaps the first. An ignored one gives no label."""
    if not len(truth):
        nothing = np.zeros(len(boxes))
        return Nearest(nothing.astype(np.int64), nothing, boxes, nothing.astype(np.bool_))
    table = intersection_over_union(boxes, truth.boxes.coordinates)
    best, overlaps = table.argmax(axis=1), table.max(axis=1)
    touched = overlaps > 0
    ignored = truth.ignore[best] & touched
    objects = np.where(touched[:, None], truth.boxes.coordinates[best], boxes)
    return Nearest(np.where(touched & ~ignored, truth.labels[best] + 1, 0), overlaps, objects, ignored)


def assemble_windows(others: NDArray[np.float32], truth: GroundTruth, mirrored: NDArray[np.bool_]) -> Windows:
    """The objects of an image and other boxes [N,4] as its windows; what they show is looked up in the annotation."""
    objects = truth[~truth.ignore]
    near = nearest_objects(others, truth)
    return Windows(
        Boxes(np.concatenate([objects.boxes.coordinates, others]), truth.size),
        np.concatenate([objects.labels + 1, near.labels]),
        np.concatenate([np.ones(len(objects)), near.overlaps]),
        np.concatenate([objects.boxes.coordinates, near.objects]),
        mirrored,
    )


def sample_windows(
    proposals: Proposals, truth: GroundTruth, sampling: WindowSampling, random: np.random.Generator
) -> Windows:
    """Draws the windows of one image without replacement, objects first; the same generator gives the same windows."""
    candidates = proposals.boxes.coordinates
    near = nearest_objects(candidates, truth)
    allowed = ~(near.ignored & (near.overlaps >= sampling.hard_overlap))
    is_positive = near.overlaps >= sampling.positive_overlap
    is_hard = (near.overlaps >= sampling.hard_overlap) & ~is_positive

    def draw(members: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
        return np.sort(random.permutation(np.flatnonzero(members & allowed))[:count])

    positive = draw(is_positive, sampling.positives)
    hard = draw(is_hard, sampling.hard)
    # An image without hard windows gives as many easy ones instead.
    easy = draw(~is_positive & ~is_hard, sampling.background + sampling.hard - len(hard))
    rows = np.concatenate([positive, hard, easy])
    mirrored = random.random(int((~truth.ignore).sum()) + len(rows)) < sampling.mirror
    return assemble_windows(candidates[rows], truth, mirrored)
