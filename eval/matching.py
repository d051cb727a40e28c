"""Which detections found an object: each is true, false or (on a don't-care object) ignored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import MatchRule

__all__ = ["Matches", "match"]

_MAX_PAIRS = 2_000_000


@dataclass(frozen=True, eq=False)
class Matches:
    """Detections best first (ties by earlier row) with their verdicts, and where the objects to find are.

    `row` [N] leads back to the table; exactly one of `true`, `false`, ignored holds for each of the N.
    `truth_image`, `truth_label` [M] list the objects that count.
    """

    images: int
    labels: int
    row: NDArray[np.int64]
    image_index: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    true: NDArray[np.bool_]
    false: NDArray[np.bool_]
    truth_image: NDArray[np.int64]
    truth_label: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Truths:
    """All objects [M], sorted by cell = image * labels + label and then as listed."""

    cell: NDArray[np.int64]
    boxes: NDArray[np.float64]
    ignore: NDArray[np.bool_]


def match(
    table: DetectionTable, dataset: Dataset, rule: MatchRule, excluded: NDArray[np.int64] | None = None
) -> Matches:
    """Matches detections to the truths of a data set.

    `excluded` [K,2] lists pairs (image_index, label) that do not count at all (ILSVRC's blacklist).
    """
    images, labels = len(dataset.samples), len(dataset.labels)
    if len(table) and (table.image_index.max() >= images or table.label.max() >= labels):
        raise ValueError(f"the table refers to more than {images} images or {labels} labels")
    truths = _collect(dataset)
    order = np.argsort(-table.score, kind="stable")
    image_index, label = table.image_index[order], table.label[order]
    cell = image_index * labels + label
    chosen = _choose(table.boxes[order], cell, truths, rule)
    hit = chosen >= 0
    true = hit.copy()
    true[hit] = ~truths.ignore[chosen[hit]]
    ignored = hit & ~true
    # Of several detections of one object only the best-scored found it.
    candidates = np.flatnonzero(true)
    _, first = np.unique(chosen[candidates], return_index=True)
    true[:] = False
    true[candidates[first]] = True
    counted = ~truths.ignore
    if excluded is not None and len(excluded):
        cells = excluded[:, 0] * labels + excluded[:, 1]
        ignored |= np.isin(cell, cells)
        true &= ~ignored
        counted &= ~np.isin(truths.cell, cells)
    truth_image, truth_label = np.divmod(truths.cell[counted], labels)
    return Matches(
        images, labels, order, image_index, label, table.score[order],
        true, ~true & ~ignored, truth_image, truth_label,
    )  # fmt: skip


def _collect(dataset: Dataset) -> _Truths:
    boxes, cells, ignore = [np.zeros((0, 4))], [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.bool_)]
    for index, sample in enumerate(dataset.samples):
        if sample.truth is None:
            raise DataError("TRUTH_MISSING", f"image {sample.image_id} has no annotation to score against")
        boxes.append(sample.truth.boxes.coordinates.astype(np.float64))
        cells.append(index * len(dataset.labels) + sample.truth.labels)
        ignore.append(sample.truth.ignore)
    cell = np.concatenate(cells)
    order = np.argsort(cell, kind="stable")
    return _Truths(cell[order], np.concatenate(boxes)[order], np.concatenate(ignore)[order])


def _choose(boxes: NDArray[np.float64], cell: NDArray[np.int64], truths: _Truths, rule: MatchRule) -> NDArray[np.int64]:
    """Index of the truth that each ranked detection [N] overlaps enough, -1 for none."""
    chosen = np.full(len(boxes), -1, dtype=np.int64)
    thresholds = rule.thresholds(truths.boxes)
    taken: set[int] = set()
    for detection, truth in _pairs(cell, truths.cell):
        overlap = _overlap(boxes[detection], truths.boxes[truth])
        if rule.choice == "free":
            _choose_free(detection, truth, overlap, overlap >= thresholds[truth], taken, chosen)
            continue
        # Rows of one detection are adjacent; the first of the largest overlaps is its nearest truth.
        best = np.lexsort((truth, -overlap, detection))
        best = best[np.diff(detection[best], prepend=-1) > 0]
        best = best[overlap[best] >= thresholds[truth[best]]]
        chosen[detection[best]] = truth[best]
    return chosen


def _choose_free(
    detection: NDArray[np.int64],
    truth: NDArray[np.int64],
    overlap: NDArray[np.float64],
    enough: NDArray[np.bool_],
    taken: set[int],
    chosen: NDArray[np.int64],
) -> None:
    """Fills `chosen` in order of rank, each truth at most once (kept in `taken`)."""
    order = np.lexsort((truth, -overlap, detection))
    order = order[enough[order]]
    for row, index in zip(detection[order].tolist(), truth[order].tolist(), strict=True):
        if chosen[row] < 0 and index not in taken:
            chosen[row] = index
            taken.add(index)


def _pairs(
    cell: NDArray[np.int64], truth_cell: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Index pairs (detection, truth) of one cell, in blocks of bounded size that split no detection."""
    start = np.searchsorted(truth_cell, cell, side="left")
    count = np.searchsorted(truth_cell, cell, side="right") - start
    rows = np.flatnonzero(count)
    total = np.cumsum(count[rows])
    first = 0
    while first < len(rows):
        done = total[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(total, done + _MAX_PAIRS, side="right")))
        block = rows[first:last]
        detection = np.repeat(block, count[block])
        within = np.arange(len(detection)) - np.repeat(np.cumsum(count[block]) - count[block], count[block])
        yield detection, np.repeat(start[block], count[block]) + within
        first = last


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union [P] of row by row paired boxes [P,4]; 0 for boxes turned inside out."""
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.where((sides > 0).all(axis=1), sides.prod(axis=1), 0.0)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0))
