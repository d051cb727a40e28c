"""What is odd about a data set that was read: nothing here changes it or stops anyone."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.types import Dataset, GroundTruth, Sample, Size
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.unknown_classes import folded

__all__ = ["inspect", "inspect_size", "inspect_sizes", "inspect_splits", "is_negative"]

_LARGE_SHARE = 0.99
_SMALL_SIDE = 3
_MANY_BOXES = 300


def inspect(dataset: Dataset, fewest: int = 10) -> list[Finding]:
    """Findings on counts, classes with fewer than `fewest` boxes, and boxes; by class, then in order of images."""
    findings = list(_counts(dataset))
    findings += _classes(dataset, fewest)
    for sample in dataset.samples:
        if sample.truth is not None:
            findings += _boxes(sample, sample.truth, dataset.labels.names)
    return findings


def inspect_splits(train: Dataset, val: Dataset) -> list[Finding]:
    """Classes that occur in `val` and never in `train`, so that nobody can learn them."""
    learnt = {train.labels.names[label] for label in _box_counts(train)}
    names = sorted({val.labels.names[label] for label in _box_counts(val)} - learnt)
    return [Finding("CLASS_UNSEEN", "", name, "in val but not in train; add examples", "error") for name in names]


def inspect_sizes(dataset: Dataset) -> list[Finding]:
    """Images whose header shows another size than their annotation; reads each file's header."""
    findings = []
    for sample in dataset.samples:
        if sample.truth is None or not sample.path.is_file():
            continue
        try:
            findings += inspect_size(sample, image_size(sample.path))
        except ImageError as error:
            findings.append(Finding.of(error, sample.path))
    return findings


def inspect_size(sample: Sample, found: Size) -> list[Finding]:
    """The finding on an image that is not as large as its annotation says, if it is not."""
    said = found if sample.truth is None else sample.truth.size
    if found == said:
        return []
    shown = f"{found.width}x{found.height} as displayed, annotated as {said.width}x{said.height}"
    fix = "write the true size and boxes of the image as displayed"
    if found == (said.width, said.height):
        fix = "the size before EXIF rotation: turn the boxes as well, or save the image without orientation"
    return [Finding("SIZE_MISMATCH", str(sample.path), "", f"{shown}; {fix}", "error")]


def is_negative(sample: Sample) -> bool:
    """Whether an image is known to show no object: it has none, and all that is annotated could be read."""
    return sample.truth is not None and not len(sample.truth) and sample.exhaustive


def _box_counts(dataset: Dataset) -> Counter[int]:
    truths = (sample.truth for sample in dataset.samples if sample.truth is not None)
    return Counter(label for truth in truths for label in truth.labels[~truth.ignore].tolist())


def _counts(dataset: Dataset) -> Iterator[Finding]:
    images = len(dataset.samples)
    if images <= 1:
        yield Finding("FEW_IMAGES", "", f"{images} images", "nothing can be learnt from so few; add some", "error")
    gone = [sample for sample in dataset.samples if not sample.path.is_file()]
    if gone:
        fix = "only their annotations can be used"
        yield Finding("IMG_MISSING", str(gone[0].path), f"{len(gone)} of {images} images", f"not there; {fix}")
    bare = sum(sample.truth is None for sample in dataset.samples)
    if bare:
        yield Finding("ANN_MISSING", "", f"{bare} of {images} images", "no annotation file", "info")
    empty = sum(is_negative(sample) for sample in dataset.samples)
    if images and not _box_counts(dataset):
        yield Finding("NO_OBJECTS", "", f"{images} images", "no objects at all: there is nothing to learn", "error")
    elif empty:
        yield Finding("IMG_NEGATIVE", "", f"{empty} of {images} images", "without objects; kept as negatives", "info")


def _classes(dataset: Dataset, fewest: int) -> Iterator[Finding]:
    counts = _box_counts(dataset)
    alike: dict[str, str] = {}
    for label, name in enumerate(dataset.labels.names):
        if counts[label] < fewest:
            yield Finding("CLASS_RARE", "", name, f"{counts[label]} boxes, fewer than {fewest}; add examples")
        if (other := alike.setdefault(folded(name), name)) != name:
            yield Finding("CLASS_SIMILAR", "", name, f"differs from {other!r} in case or spaces only; merge them")


def _boxes(sample: Sample, truth: GroundTruth, names: tuple[str, ...]) -> Iterator[Finding]:
    file, boxes = str(sample.path), truth.boxes.coordinates
    if len(truth) > _MANY_BOXES:
        yield Finding("MANY_BOXES", file, f"{len(truth)} boxes", f"more than {_MANY_BOXES}: is this so?", "info")
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    large = (sides[:, 0] * sides[:, 1] > _LARGE_SHARE * truth.size.width * truth.size.height).tolist()
    small = (sides.min(axis=1, initial=np.inf) < _SMALL_SIDE).tolist()
    first: dict[tuple[float, ...], int] = {}
    for row, (label, box) in enumerate(zip(truth.labels.tolist(), boxes.tolist(), strict=True)):
        place = f"box {row + 1} ({names[label]})"
        if large[row]:
            yield Finding("BOX_LARGE", file, place, "covers the whole image: is this so?", "info")
        if small[row]:
            yield Finding("BOX_SMALL", file, place, f"a side is shorter than {_SMALL_SIDE} pixels: is this so?", "info")
        if (earlier := first.setdefault((label, *box), row)) != row:
            yield Finding("DUPLICATE_BOX", file, place, f"the same as box {earlier + 1}; remove one")
