"""What can be mended in a split without asking anyone, and which images had better be left out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.boxes import turn
from googlenet_rcnn.core.image_size import turned_by
from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, Sample
from googlenet_rcnn.datasets.inspection import inspect_size
from googlenet_rcnn.datasets.picture import Picture

__all__ = ["Mended", "mend_split"]


@dataclass(frozen=True)
class Mended:
    """The split to write, with what was changed in it and the images left out with the reason for each.

    `duplicates` are boxes that were there twice, `turned` images whose boxes were turned as EXIF turns the picture.
    """

    dataset: Dataset
    duplicates: int
    turned: int
    left_out: Mapping[str, str]


def mend_split(dataset: Dataset, pictures: Mapping[Path, Picture]) -> Mended:
    """The images whose annotation could be read whole and whose picture fits it, each box of a class once.

    Reading has already clipped boxes, dropped those without area and filled in fields. An image with an object that
    could not be read is left out, since without it that object would be learnt as background.
    """
    kept: list[Sample] = []
    duplicates = turned = 0
    left_out: dict[str, str] = {}
    for sample in dataset.samples:
        picture = pictures.get(sample.path)
        if picture is not None and (right := _displayed(sample, picture)):
            sample, turned = right, turned + 1
        if reason := _unfit(sample, picture):
            left_out[sample.image_id] = reason
        elif sample.truth is not None:
            truth = _each_once(sample.truth)
            duplicates += len(sample.truth) - len(truth)
            kept.append(replace(sample, truth=truth))
    return Mended(Dataset(dataset.labels, tuple(kept)), duplicates, turned, left_out)


def _displayed(sample: Sample, picture: Picture) -> Sample | None:
    """The sample as displayed, if it was annotated as stored: its size is the picture's before EXIF turns it."""
    if sample.truth is None or picture.size is None:
        return None
    said, (height, width) = sample.truth.size, picture.size
    if said != (width, height) or height == width or not 5 <= (orientation := turned_by(sample.path)) <= 8:
        return None
    boxes = turn(sample.truth.boxes.coordinates, orientation, height, width)
    return replace(sample, truth=replace(sample.truth, boxes=Boxes(boxes, picture.size)))


def _unfit(sample: Sample, picture: Picture | None) -> str:
    """Why an image cannot be used, or an empty string."""
    if picture is not None and picture.error is not None:
        return picture.error.code
    if sample.truth is None or not sample.exhaustive:
        return "annotation not read whole"
    if picture is not None and picture.size is not None and inspect_size(sample, picture.size):
        return "SIZE_MISMATCH"
    return ""


def _each_once(truth: GroundTruth) -> GroundTruth:
    """The truth without boxes that are there before with the same class."""
    seen: set[tuple[float, ...]] = set()
    rows = []
    for row, (label, box) in enumerate(zip(truth.labels.tolist(), truth.boxes.coordinates.tolist(), strict=True)):
        if (label, *box) not in seen:
            seen.add((label, *box))
            rows.append(row)
    return truth if len(rows) == len(truth) else truth[np.array(rows, dtype=np.int64)]
