"""What became of each object of an image: found, or at which step of detection it was lost, and to which box."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.types import Detections, GroundTruth

__all__ = ["Fate", "FateKind", "ScoredBox", "object_fates"]

_ENOUGH = 0.5


class FateKind(StrEnum):
    """The ends that an object can come to, in the order in which detection proceeds, and last the good one."""

    NO_PROPOSAL = "no proposal over 0.5"
    NEIGHBOUR = "counted for a neighbour"
    NOT_SCORED = "not scored in fast mode"
    SCORED_LOW = "scored low"
    WRONG_CLASS = "wrong class"
    OUTSCORED = "outscored by a loose box"
    SUPPRESSED = "suppressed by NMS"
    OVER_LIMIT = "over the limit of detections"
    FOUND = "found"


@dataclass(frozen=True)
class ScoredBox:
    """A box x1 y1 x2 y2 with a label, its score for that, and its overlap with the object in question."""

    box: tuple[float, ...]
    label: int
    score: float
    overlap: float


@dataclass(frozen=True)
class Fate:
    """An object's fate, the box that came nearest to finding it (None: nothing proposed), and its rank in its class.

    `cause` is the detection that stood in the way: of another class, or kept in place of `best`.
    """

    kind: FateKind
    best: ScoredBox | None = None
    rank: int | None = None
    cause: ScoredBox | None = None


def object_fates(
    boxes: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    kept: Detections,
    truth: GroundTruth,
    score_threshold: float,
    nms_iou: float,
    max_detections: int,
    scored: NDArray[np.bool_] | None = None,
) -> list[Fate]:
    """The fate of each object of an image, from what was proposed, scored and kept.

    `boxes` [N,C,4] is where each proposal lies for each class, `probabilities` [N,1+C] has background in column
    0, `scored` [N] tells which proposals were scored (None: all). An object is found exactly if VOC's rule says
    so: if a kept box of its class overlaps it by 0.5 or more and no other object of the class by more.
    """
    credited = _credit(kept.boxes.coordinates, kept.labels, truth)
    scored = np.ones(len(boxes), dtype=np.bool_) if scored is None else scored

    def detection(row: int, overlaps: NDArray[np.float64]) -> ScoredBox:
        box = tuple(kept.boxes.coordinates[row].tolist())
        return ScoredBox(box, int(kept.labels[row]), float(kept.scores[row]), float(overlaps[row]))

    def fate(index: int) -> Fate:
        label = int(truth.labels[index])
        target = truth.boxes.coordinates[index : index + 1]
        kept_overlaps = intersection_over_union(kept.boxes.coordinates, target)[:, 0]
        hits = np.flatnonzero(credited == index)
        if len(hits):
            found = detection(hits[0], kept_overlaps)
            return Fate(FateKind.FOUND, found, 1 + int((probabilities[:, 1 + label] > found.score).sum()))
        if not len(boxes):
            return Fate(FateKind.NO_PROPOSAL)
        own, column = boxes[:, label], probabilities[:, 1 + label]
        overlaps = intersection_over_union(own, target)[:, 0]

        def because(kind: FateKind, row: int, cause: int | None = None) -> Fate:
            best = ScoredBox(tuple(own[row].tolist()), label, float(column[row]), float(overlaps[row]))
            rank = 1 + int((column > column[row]).sum())
            return Fate(kind, best, rank, None if cause is None else detection(cause, kept_overlaps))

        nearest = int(overlaps.argmax())
        if overlaps[nearest] < _ENOUGH:
            return because(FateKind.NO_PROPOSAL, nearest)
        able = np.flatnonzero(_credit(own, np.full(len(own), label), truth) == index)
        if not len(able):
            return because(FateKind.NEIGHBOUR, nearest)
        best = int(able[column[able].argmax()])
        if column[best] < score_threshold:
            taken = np.flatnonzero((credited < 0) & (kept_overlaps >= _ENOUGH) & (kept.labels != label))
            if len(taken):
                return because(FateKind.WRONG_CLASS, best, taken[0])
            return because(FateKind.SCORED_LOW if scored[able].any() else FateKind.NOT_SCORED, best)
        shared = intersection_over_union(kept.boxes.coordinates, own[best : best + 1])[:, 0]
        alike = kept.labels == label
        above = np.flatnonzero(alike & (kept.scores >= column[best]))
        # Detections come best first, so the first is the one that greedy NMS let `best` go for; where box voting has
        # moved that away, the nearest.
        near = above[shared[above] > nms_iou]
        if len(above) and not len(near) and alike.sum() < max_detections:
            near = above[[int(shared[above].argmax())]]
        if not len(near):
            return because(FateKind.OVER_LIMIT, best)
        return because(FateKind.OUTSCORED if credited[near[0]] < 0 else FateKind.SUPPRESSED, best, near[0])

    return [fate(index) for index in range(len(truth))]


def _credit(boxes: NDArray[np.float32], labels: NDArray[np.int64], truth: GroundTruth) -> NDArray[np.int64]:
    """The object of its label that each box [N,4] overlaps most, if by 0.5 or more; -1 for none."""
    if not len(truth):
        return np.full(len(boxes), -1, dtype=np.int64)
    overlaps = intersection_over_union(boxes, truth.boxes.coordinates)
    overlaps[labels[:, None] != truth.labels] = 0
    nearest = overlaps.argmax(axis=1)
    return np.where(overlaps[np.arange(len(boxes)), nearest] >= _ENOUGH, nearest, -1)
