"""From a probability for every proposal and class to detections: threshold, NMS a class, the best of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.types import Boxes, Detections

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

    def select(self, boxes: Boxes, probabilities: NDArray[np.float32]) -> Detections:
        """Detections of one image from boxes [N,4] and probabilities [N,1+C], best score first.

        Ties are broken by class, then by the order of the proposals. Raises ValueError for a probability
        that is not finite: a broken network must not pass for one that found nothing.
        """
        finite = np.isfinite(probabilities).all(axis=1)
        if not finite.all():
            raise ValueError(f"probabilities must be finite, row {int(np.flatnonzero(~finite)[0])} is not")
        rows, labels, scores = [], [], []
        for label in range(probabilities.shape[1] - 1):
            column = probabilities[:, 1 + label]
            candidates = np.flatnonzero(column >= self.score_threshold)
            kept = nms(boxes.coordinates[candidates], column[candidates], self.nms_iou)[: self.max_detections]
            rows.append(candidates[kept])
            labels.append(np.full(len(kept), label, dtype=np.int64))
            scores.append(column[candidates[kept]])
        if not rows:
            return Detections.empty(boxes.size)
        row, name, score = np.concatenate(rows), np.concatenate(labels), np.concatenate(scores)
        order = np.argsort(-score, kind="stable")
        return Detections(boxes[row[order]], name[order], score[order])
