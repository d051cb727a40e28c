"""Detections of many images as raw columns: every finite row counts as written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset, Detections

__all__ = ["DetectionTable"]


@dataclass(frozen=True, eq=False)
class DetectionTable:
    """Columns image_index [N], label [N], score [N] and half-open boxes [N,4], neither clipped nor sorted.

    A box outside its image or turned inside out stays, as a false positive; NaN and Inf are errors.
    """

    image_index: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    boxes: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = np.size(self.image_index)
        columns: dict[str, tuple[Any, tuple[int, ...]]] = {
            "image_index": (np.int64, (count,)),
            "label": (np.int64, (count,)),
            "score": (np.float64, (count,)),
            "boxes": (np.float64, (count, 4)),
        }
        for name, (dtype, shape) in columns.items():
            column = np.array(getattr(self, name), dtype=dtype)
            if column.size == 0 and count == 0:
                column = column.reshape(shape)
            if column.shape != shape:
                raise ValueError(f"{name} must have shape {list(shape)}, got {list(column.shape)}")
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        if count and (self.image_index.min() < 0 or self.label.min() < 0):
            raise ValueError("image_index and label start at 0")
        finite = np.isfinite(self.score) & np.isfinite(self.boxes).all(axis=1)
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise DataError("DET_NOT_FINITE", f"detection {row} has a score or box that is not a finite number")

    def __len__(self) -> int:
        return len(self.image_index)

    def check_fits(self, dataset: Dataset) -> None:
        """ValueError for a row that names an image or a label beyond those of the data set."""
        images, labels = len(dataset.samples), len(dataset.labels)
        if len(self) and (self.image_index.max() >= images or self.label.max() >= labels):
            raise ValueError(f"the table refers to more than {images} images or {labels} labels")

    @classmethod
    def from_detections(cls, detections: Iterable[Detections]) -> "DetectionTable":
        """The table of one `Detections` an image, in the order of the images."""
        found = list(detections)
        counts = [len(one) for one in found]
        return cls(
            np.repeat(np.arange(len(found)), counts),
            np.concatenate([np.zeros(0, dtype=np.int64), *(one.labels for one in found)]),
            np.concatenate([np.zeros(0), *(one.scores for one in found)]),
            np.concatenate([np.zeros((0, 4)), *(one.boxes.coordinates for one in found)]),
        )
