"""From a probability for every proposal and class to detections: threshold, NMS and box voting a class."""

from dataclasses import dataclass

import numpy as np

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.types import Boxes, Detections

from .box_regression import move_boxes
from .box_voting import vote_boxes
from .region_scores import RegionScores

__all__ = ["Selection"]

_VOICE = 0.01  # least score of a box that votes; not the threshold, which must not move boxes


@dataclass(frozen=True)
class Selection:
    """R-CNN's order for ILSVRC: NMS at 0.3 within a class, then the 100 best of each class and image.

    Where `box_voting` is below 1, boxes of a class that overlap a detection by as much have a say in where it lies.
    """

    score_threshold: float = 0.01
    nms_iou: float = 0.3
    max_detections: int = 100
    box_voting: float = 1.0
    box_regression: bool = True

    def __post_init__(self) -> None:
        shares = (self.score_threshold, self.nms_iou, self.box_voting)
        if not (all(0 <= share <= 1 for share in shares) and self.max_detections >= 1):
            raise ValueError("score_threshold, nms_iou and box_voting lie in 0..1, max_detections is at least 1")

    def select(self, boxes: Boxes, scores: RegionScores) -> Detections:
        """Detections of one image from boxes [N,4] and their scores, best score first.

        With `box_regression` a box is moved by the offsets of each class before NMS (Girshick 2014, appendix C).
        Ties are broken by class, then by the order of the proposals. Raises ValueError for a score that is not
        finite: a broken network must not pass for one that found nothing.
        """
        probabilities, offsets = scores
        finite = np.isfinite(probabilities).all(axis=1)
        if offsets is not None:
            finite &= np.isfinite(offsets).all(axis=(1, 2))
        if not finite.all():
            raise ValueError(f"scores must be finite, row {int(np.flatnonzero(~finite)[0])} is not")
        found, labels, kept_scores = [], [], []
        for label in range(probabilities.shape[1] - 1):
            column = probabilities[:, 1 + label]
            rows = np.flatnonzero(column >= min(self.score_threshold, _VOICE))
            coordinates, own = boxes.coordinates[rows], column[rows]
            if offsets is not None and self.box_regression:
                coordinates = move_boxes(coordinates, offsets[rows, label], boxes.size)
            candidates = np.flatnonzero(own >= self.score_threshold)
            kept = candidates[nms(coordinates[candidates], own[candidates], self.nms_iou)[: self.max_detections]]
            chosen = coordinates[kept]
            if self.box_voting < 1:
                voices = own >= _VOICE
                chosen = vote_boxes(chosen, coordinates[voices], own[voices], self.box_voting)
            found.append(chosen)
            labels.append(np.full(len(kept), label, dtype=np.int64))
            kept_scores.append(own[kept])
        if not found:
            return Detections.empty(boxes.size)
        box, name, score = np.concatenate(found), np.concatenate(labels), np.concatenate(kept_scores)
        order = np.argsort(-score, kind="stable")
        return Detections(Boxes(box[order], boxes.size), name[order], score[order])
