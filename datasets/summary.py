"""A split in numbers: its classes, its images and its boxes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Dataset, GroundTruth
from googlenet_rcnn.datasets.class_folders import LabelledImages
from googlenet_rcnn.datasets.inspection import is_negative
from googlenet_rcnn.datasets.picture import Picture

__all__ = ["ClassCount", "SplitSummary", "summarise"]

_SHARES = {"least": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "most": 1.0}


@dataclass(frozen=True)
class ClassCount:
    """Objects of a class that count, those to ignore, and the images with any that counts."""

    name: str
    objects: int
    ignored: int
    images: int


@dataclass(frozen=True)
class SplitSummary:
    """Counts and quantiles of a split; quantiles are empty where there is nothing to measure."""

    images: int
    annotated: int
    negatives: int
    objects: int
    ignored: int
    classes: tuple[ClassCount, ...]
    width: dict[str, float]
    height: dict[str, float]
    box_side: dict[str, float]
    """Square root of a box's area in pixels."""
    box_aspect: dict[str, float]
    """Width divided by height."""
    boxes_per_image: dict[str, float]


def summarise(dataset: Dataset, pictures: Mapping[Path, Picture]) -> SplitSummary:
    """The numbers of a split; objects to ignore count apart. Sizes are those annotated, or else of the pictures."""
    truths = [sample.truth for sample in dataset.samples if sample.truth is not None]
    looked = (pictures.get(sample.path, Picture(None)).size for sample in dataset.samples if sample.truth is None)
    known = [truth.size for truth in truths] + [size for size in looked if size is not None]
    sizes = np.array(known, dtype=np.float64).reshape(-1, 2)
    boxes = [truth.boxes.coordinates[~truth.ignore].astype(np.float64) for truth in truths]
    sides = np.concatenate([np.zeros((0, 2)), *(rows[:, 2:] - rows[:, :2] for rows in boxes)])
    return SplitSummary(
        images=len(dataset.samples),
        annotated=len(truths),
        negatives=sum(map(is_negative, dataset.samples)),
        objects=len(sides),
        ignored=sum(int(truth.ignore.sum()) for truth in truths),
        classes=_classes(dataset, truths),
        width=_quantiles(sizes[:, 1]),
        height=_quantiles(sizes[:, 0]),
        box_side=_quantiles(np.sqrt(sides[:, 0] * sides[:, 1])),
        box_aspect=_quantiles(sides[:, 0] / sides[:, 1]),
        boxes_per_image=_quantiles(np.array([len(rows) for rows in boxes], dtype=np.float64)),
    )


def _classes(dataset: Dataset, truths: Sequence[GroundTruth]) -> tuple[ClassCount, ...]:
    objects, ignored, images = Counter[int](), Counter[int](), Counter[int]()
    if isinstance(dataset, LabelledImages):
        images.update(dataset.image_labels.tolist())
    for truth in truths:
        counted = truth.labels[~truth.ignore].tolist()
        objects.update(counted)
        ignored.update(truth.labels[truth.ignore].tolist())
        images.update(set(counted))
    return tuple(
        ClassCount(name, objects[row], ignored[row], images[row]) for row, name in enumerate(dataset.labels.names)
    )


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    found = np.quantile(values, list(_SHARES.values())).tolist()
    return {name: round(value, 3) for name, value in zip(_SHARES, found, strict=True)}
