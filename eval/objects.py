"""The annotated objects of a whole data set as columns, and which of them count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core import boxes as geometry
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset

__all__ = ["Objects", "collect_objects", "excluded_cells"]


@dataclass(frozen=True, eq=False)
class Objects:
    """All objects [K], by image, label and then as listed, with boxes [K,4] and areas [K] in square pixels.

    `counts` is false where an object neither gains nor costs: difficult, crowd, or of an excluded pair.
    """

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    boxes: NDArray[np.float64]
    area: NDArray[np.float64]
    counts: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.image)


def collect_objects(dataset: Dataset) -> Objects:
    """The objects of a data set; DataError (TRUTH_MISSING) for an image without annotation."""
    truths = []
    for sample in dataset.samples:
        if sample.truth is None:
            raise DataError("TRUTH_MISSING", f"image {sample.image_id} has no annotation to score against")
        truths.append(sample.truth)
    image = np.repeat(np.arange(len(truths)), [len(one) for one in truths])
    label = np.concatenate([np.zeros(0, dtype=np.int64), *(one.labels for one in truths)])
    boxes = np.concatenate([np.zeros((0, 4)), *(one.boxes.coordinates for one in truths)])
    ignore = np.concatenate([np.zeros(0, dtype=np.bool_), *(one.ignore for one in truths)])
    stated = [np.full(len(one), np.nan) if one.areas is None else one.areas for one in truths]
    area = np.concatenate([np.zeros(0), *stated])
    area = np.where(np.isnan(area), geometry.area(boxes), area)
    cell = image * len(dataset.labels) + label
    counts = ~ignore & ~np.isin(cell, excluded_cells(dataset))
    order = np.argsort(cell, kind="stable")
    return Objects(image[order], label[order], boxes[order], area[order], counts[order])


def excluded_cells(dataset: Dataset) -> NDArray[np.int64]:
    """Cells (image index * labels + label) [E] of a data set that do not count at all."""
    pairs = np.array(dataset.excluded, dtype=np.int64).reshape(-1, 2)
    return np.asarray(pairs[:, 0] * len(dataset.labels) + pairs[:, 1])
