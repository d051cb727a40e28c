"""Which windows of an image train the detector, and as what (R-CNN, arXiv:1311.2524, section 2.3).

Positive: overlap of at least 0.5 with an object, labelled as the object it overlaps most; the objects
themselves are among the windows. Everything else is background, label 0 here; windows that mostly cover
an object marked difficult are neither.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Boxes, GroundTruth, Proposals

__all__ = ["WindowSampling", "Windows", "sample_windows"]


class WindowSampling(Settings):
    """How many windows of each kind one image gives."""

    positive_overlap: float = Field(default=0.5, gt=0, le=1)
    hard_overlap: float = Field(default=0.1, ge=0, le=1)  # background from here up is "hard": it touches an object
    positives: int = Field(default=5, ge=0)  # beside the objects themselves
    hard: int = Field(default=4, ge=0)
    background: int = Field(default=4, ge=0)
    mirror: float = Field(default=0.5, ge=0, le=1)  # chance that a window is mirrored


class Windows(NamedTuple):
    """Training windows of one image: labels [N] are 0 for background and 1 + label for objects."""

    boxes: Boxes
    labels: NDArray[np.int64]
    mirrored: NDArray[np.bool_]


def sample_windows(
    proposals: Proposals, truth: GroundTruth, sampling: WindowSampling, random: np.random.Generator
) -> Windows:
    """Draws the windows of one image without replacement, objects first; the same generator gives the same windows."""
    objects = np.flatnonzero(~truth.ignore)
    candidates = proposals.boxes.coordinates
    if len(truth):
        overlaps = intersection_over_union(candidates, truth.boxes.coordinates)
        best, overlap = overlaps.argmax(axis=1), overlaps.max(axis=1)
        excluded = truth.ignore[best] & (overlap >= sampling.hard_overlap)
        classes = truth.labels[best] + 1
    else:
        overlap = np.zeros(len(candidates))
        excluded = np.zeros(len(candidates), dtype=bool)
        classes = np.zeros(len(candidates), dtype=np.int64)
    is_positive = overlap >= sampling.positive_overlap
    is_hard = (overlap >= sampling.hard_overlap) & ~is_positive

    def draw(members: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
        rows = np.flatnonzero(members & ~excluded)
        return np.sort(random.permutation(rows)[:count])

    positive = draw(is_positive, sampling.positives)
    hard = draw(is_hard, sampling.hard)
    # An image without hard windows gives as many easy ones instead.
    easy = draw(~is_positive & ~is_hard, sampling.background + sampling.hard - len(hard))
    rows = np.concatenate([positive, hard, easy])
    boxes = np.concatenate([truth.boxes.coordinates[objects], candidates[rows]])
    labels = np.concatenate([truth.labels[objects] + 1, np.where(is_positive, classes, 0)[rows]])
    mirrored = random.random(len(boxes)) < sampling.mirror
    return Windows(Boxes(boxes, truth.size), labels.astype(np.int64), mirrored)
