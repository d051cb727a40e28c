"""From a probability for every proposal and class to detections: threshold, NMS a class, the best of each."""

from dataclasses import dataclass

import numpy as np

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.types import Boxes, Detections

from .box_regression import move_boxes
from .region_scores import RegionScores

__all__ = ["Selection"]


@dataclass(frozen=True)
class Selection:
    """R-CNN's order for ILSVRC: NMS at 0.3 within a class, then the 100 best of each class and image."""

    score_threshold: float = 0.01
    nms_iou: float = 0.3
    max_detections: int = 100

    def __post_init__(self) -> None:
        if not (0 <= self.score_threshold <= 1 and 0 <= self.nms_iou <= 1 and self.max_detections >= 1):
            raise ValueError("score_threshold and nms_iou lie in 0..1, max_detections is at least 1")

    def select(self, boxes: Boxes, scores: RegionScores) -> Detections:
        """Detections of one image from boxes [N,4] and their scores, best score first.

        A box is moved by the offsets of each class before NMS (Girshick 2014, appendix C). Ties are broken by
        class, then by the order of the proposals. Raises ValueError for a score that is not finite: a broken
        network must not pass for one that found nothing.
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
            candidates = np.flatnonzero(column >= self.score_threshold)
            coordinates = boxes.coordinates[candidates]
            if offsets is not None:
                coordinates = move_boxes(coordinates, offsets[candidates, label], boxes.size)
            kept = nms(coordinates, column[candidates], self.nms_iou)[: self.max_detections]
            found.append(coordinates[kept])
            labels.append(np.full(len(kept), label, dtype=np.int64))
            kept_scores.append(column[candidates[kept]])
        if not found:
            return Detections.empty(boxes.size)
        box, name, score = np.concatenate(found), np.concatenate(labels), np.concatenate(kept_scores)
        order = np.argsort(-score, kind="stable")
        return Detections(Boxes(box[order], boxes.size), name[order], score[order])
