"""How well proposals cover the objects of a data set, and how many of the first boxes that takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import area, intersection_over_union
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset, Proposals, Sample

__all__ = ["THRESHOLDS", "Coverage", "ProposalRecall", "proposal_recall"]

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Overlaps 0.5, 0.55, ... 0.95 that average recall is a mean over."""

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Coverage:
    """What proposals make of each object, a column an object in the order of the data set.

    `best` [N] is the greatest overlap of any box with the object, 0 without boxes. `needed` [T,N] is the
    number of first boxes, in their own order, among which one overlaps by at least THRESHOLDS[t]; the
    greatest int64 says never. Boxes are not assigned to objects: one box may cover several, as in the
    papers. `side` [N] is the square root of the object's area in pixels; `counts` [M] are boxes an image.
    """

    best: NDArray[np.float64]
    needed: NDArray[np.int64]
    labels: NDArray[np.int64]
    side: NDArray[np.float64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.best)

    def recall(self, first: int | None = None) -> NDArray[np.float64]:
        """Part of all objects that the first so many boxes of their image overlap enough, a row a threshold.

        Pooled over objects, whatever their class: NaN [T] where there are none. An image with fewer boxes
        has all of them count.
        """
        if not len(self):
            return np.full(len(THRESHOLDS), np.nan)
        limit = _NEVER - 1 if first is None else first
        return np.asarray((self.needed <= limit).mean(axis=1))

    def average_recall(self, first: int | None = None) -> float:
        """Mean of the recall over THRESHOLDS."""
        return float(self.recall(first).mean())

    def average_best_overlap(self, classes: int) -> NDArray[np.float64]:
        """ABO [C]: mean best overlap over the objects of each class, NaN for a class without any.

        MABO is the mean over the classes that have objects (Uijlings 2013, section 5.1).
        """
        objects = np.bincount(self.labels, minlength=classes)
        total = np.bincount(self.labels, weights=self.best, minlength=classes)
        return np.asarray(np.divide(total, objects, out=np.full(classes, np.nan), where=objects > 0))

    def __getitem__(self, objects: NDArray[np.bool_]) -> "Coverage":
        """The same boxes, with some of the objects."""
        return Coverage(
            self.best[objects], self.needed[:, objects], self.labels[objects], self.side[objects], self.counts
        )


class ProposalRecall(NamedTuple):
    """Coverage by all boxes in their order, by those of each source alone, and images without an entry."""

    union: Coverage
    sources: dict[str, Coverage]
    missing: int


def proposal_recall(dataset: Dataset, proposals: Mapping[str, Proposals]) -> ProposalRecall:
    """Sets proposals, by image id, against the objects that are not marked ignore.

    An image without proposals has no boxes: its objects are missed. Proposals of other images are left out.
    """
    given = [proposals.get(sample.image_id) for sample in dataset.samples]
    names = sorted({name for one in given if one is not None for name in one.source_names})
    union, sources = [_NOTHING], {name: [_NOTHING] for name in names}
    for sample, found in zip(dataset.samples, given, strict=True):
        objects, labels = _objects(sample)
        boxes = _boxes(sample, found)
        overlap = intersection_over_union(objects, boxes)
        union.append(_cover(objects, labels, overlap))
        for name, parts in sources.items():
            own = np.zeros(len(boxes), dtype=np.bool_) if found is None else _of_source(found, name)
            parts.append(_cover(objects, labels, overlap[:, own]))
    missing = sum(found is None for found in given)
    return ProposalRecall(_joined(union), {name: _joined(parts) for name, parts in sources.items()}, missing)


def _objects(sample: Sample) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Boxes and labels of the objects that count."""
    if sample.truth is None:
        return np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64)
    counted = ~sample.truth.ignore
    return sample.truth.boxes.coordinates[counted], sample.truth.labels[counted]


def _boxes(sample: Sample, found: Proposals | None) -> NDArray[np.float32]:
    if found is None:
        return np.zeros((0, 4), dtype=np.float32)
    if sample.truth is not None and sample.truth.size != found.size:
        sizes = "proposed on {} x {} pixels, annotated on {} x {}".format(*found.size, *sample.truth.size)
        raise DataError("SIZE_MISMATCH", f"image {sample.image_id!r}: {sizes}; propose on the annotated images")
    return found.boxes.coordinates


def _of_source(found: Proposals, name: str) -> NDArray[np.bool_]:
    return np.isin(found.sources, [place for place, known in enumerate(found.source_names) if known == name])


def _cover(objects: NDArray[np.float32], labels: NDArray[np.int64], overlap: NDArray[np.float64]) -> Coverage:
    """Coverage of one image's objects [N,4] by boxes that overlap them by [N,M]."""
    needed = np.full((len(THRESHOLDS), len(objects)), _NEVER, dtype=np.int64)
    if overlap.shape[1]:
        for row, threshold in zip(needed, THRESHOLDS, strict=True):
            enough = overlap >= threshold
            row[:] = np.where(enough.any(axis=1), enough.argmax(axis=1) + 1, _NEVER)
    best = overlap.max(axis=1, initial=0.0)
    return Coverage(best, needed, labels, np.sqrt(area(objects)), np.array([overlap.shape[1]], dtype=np.int64))


def _joined(parts: Sequence[Coverage]) -> Coverage:
    columns = zip(*((part.best, part.needed, part.labels, part.side, part.counts) for part in parts), strict=True)
    best, needed, labels, side, counts = (np.concatenate(column, axis=-1) for column in columns)
    return Coverage(best, needed, labels, side, counts)


_NOTHING = Coverage(
    np.zeros(0), np.zeros((len(THRESHOLDS), 0), dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0),
    np.zeros(0, dtype=np.int64),
)  # fmt: skip
"""No objects and no images."""
