"""Detections that can find nothing as they are written: outside their image, or turned inside out."""

from typing import NamedTuple

import numpy as np

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable

__all__ = ["OddBoxes", "count_odd_boxes"]


class OddBoxes(NamedTuple):
    """Numbers of detections that leave their image in part or in full, and of those without an inside."""

    outside: int
    inverted: int


def count_odd_boxes(table: DetectionTable, dataset: Dataset) -> OddBoxes:
    """Counts the boxes that pass the border of their image and, apart from them, those with x2 <= x1 or y2 <= y1.

    Such rows count as they are written; an image of unknown size has no border.
    """
    limits = np.array(
        [(np.inf, np.inf) if sample.truth is None else sample.truth.size[::-1] for sample in dataset.samples]
    ).reshape(-1, 2)
    inverted = (table.boxes[:, 2:] <= table.boxes[:, :2]).any(axis=1)
    limit = limits[table.image_index]
    outside = (table.boxes < 0).any(axis=1) | (table.boxes > np.hstack([limit, limit])).any(axis=1)
    return OddBoxes(int((outside & ~inverted).sum()), int(inverted.sum()))
