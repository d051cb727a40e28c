"""COCO's twelve numbers, by the rules of its reference implementation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.average_precision import mean_of_defined
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.greedy_choice import greedy_choice
from googlenet_rcnn.eval.numbering import coco_image_ids
from googlenet_rcnn.eval.objects import Objects, collect_objects, excluded_cells
from googlenet_rcnn.eval.overlap_pairs import Pairs, overlap_pairs

__all__ = ["CocoReport", "coco_metrics"]

# Square pixels, both ends inclusive.
_AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
# As the reference makes them: 0.1 * 3 is another number, and a recall of exactly 3/10 would miss its point.
_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_POINTS = np.linspace(0.0, 1.0, 101)
_FIRST = (1, 10, 100)
_LEAST = float(_THRESHOLDS[0])


@dataclass(frozen=True, eq=False)
class CocoReport:
    """The twelve figures by name, AP [C] over overlaps 0.50 to 0.95, and how many objects count [C].

    NaN where there is no object to find.
    """

    figures: dict[str, float]
    ap: NDArray[np.float64]
    truths: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Detections by label and then best first: place in image and class from 0, and area."""

    label: NDArray[np.int64]
    place: NDArray[np.int64]
    area: NDArray[np.float64]


def coco_metrics(table: DetectionTable, dataset: Dataset) -> CocoReport:
    """Average precision and recall as COCO has them, over the 100 best detections of each image and class.

    An object that does not count is a crowd: detections inside it are ignored, however many. Excluded pairs
    are left out. DataError (DET_NEGATIVE_SIDE) for a box turned inside out.
    """
    table.check_fits(dataset)
    objects, labels = collect_objects(dataset), len(dataset.labels)
    ranked, pairs = _rank(table, dataset, objects)
    precision = {name: np.full((len(_THRESHOLDS), labels), np.nan) for name in _AREAS}
    recall = {(name, first): np.full((len(_THRESHOLDS), labels), np.nan) for name in _AREAS for first in _FIRST}
    for name, (low, high) in _AREAS.items():
        counts = objects.counts & (low <= objects.area) & (objects.area <= high)
        truths = np.bincount(objects.label[counts], minlength=labels)
        within = (low <= ranked.area) & (ranked.area <= high)
        inside = _running(within, ranked.label)
        # Whatever its overlap, an object that counts is liked better than one that does not; of equal ones
        # the reference takes the last.
        wishes = np.lexsort((-pairs.truth, -pairs.overlap, ~counts[pairs.truth], pairs.detection))
        for index, chosen in enumerate(_choices(pairs.at(wishes), len(within), objects)):
            found = np.flatnonzero(chosen >= 0)
            right, label = counts[chosen[found]], ranked.label[found]
            # Wrong are the detections of the area range that found nothing.
            wrong = inside[found] - _running(within[found], label)
            precision[name][index] = _average_precision(label, right, wrong, truths)
            for first in _FIRST:
                hits = found[right & (ranked.place[found] < first)]
                part = np.bincount(ranked.label[hits], minlength=labels)
                np.divide(part, truths, out=recall[name, first][index], where=truths > 0)
    figures = {
        "AP": mean_of_defined(precision["all"]),
        "AP50": mean_of_defined(precision["all"][0]),
        "AP75": mean_of_defined(precision["all"][5]),
        **{f"AP_{name}": mean_of_defined(precision[name]) for name in ("small", "medium", "large")},
        **{f"AR{first}": mean_of_defined(recall["all", first]) for first in _FIRST},
        **{f"AR_{name}": mean_of_defined(recall[name, 100]) for name in ("small", "medium", "large")},
    }
    total = np.bincount(objects.label[objects.counts], minlength=labels)
    return CocoReport(figures, precision["all"].mean(axis=0), total)


def _rank(table: DetectionTable, dataset: Dataset, objects: Objects) -> tuple[_Ranked, Pairs]:
    """The detections that take part, in order, and the pairs of them with objects that they may find."""
    with np.errstate(over="ignore", invalid="ignore"):
        sides = table.boxes[:, 2:] - table.boxes[:, :2]
        area = sides[:, 0] * sides[:, 1]
    if (sides < 0).any():
        row = int(np.flatnonzero((sides < 0).any(axis=1))[0])
        box = table.boxes[row].tolist()
        raise DataError("DET_NEGATIVE_SIDE", f"detection {row} has the box {box}; COCO needs x1 <= x2 and y1 <= y2")
    labels = len(dataset.labels)
    cell = table.image_index * labels + table.label
    # Of equal scores that of the image with the lower id goes first, in an image the earlier row.
    ids = np.array(coco_image_ids(dataset), dtype=np.int64)
    order = np.lexsort((ids[table.image_index], -table.score, table.label))
    if dataset.excluded:
        order = order[~np.isin(cell[order], excluded_cells(dataset))]
    by_cell = np.argsort(cell[order], kind="stable")
    starts = np.flatnonzero(np.diff(cell[order[by_cell]], prepend=-1))
    place = np.empty_like(order)
    place[by_cell] = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    kept = place < _FIRST[-1]
    order, place = order[kept], place[kept]
    pairs = overlap_pairs(
        table.boxes[order], cell[order], objects.boxes, objects.image * labels + objects.label, _LEAST, ~objects.counts
    )
    return _Ranked(table.label[order], place, area[order]), pairs


def _choices(pairs: Pairs, detections: int, objects: Objects) -> Iterator[NDArray[np.int64]]:
    """For each threshold the object [N] that each detection takes, -1 for none."""
    for threshold in _THRESHOLDS:
        pairs = pairs.at(pairs.overlap >= threshold)
        yield greedy_choice(pairs.detection, pairs.truth, detections, len(objects), ~objects.counts)


def _running(flags: NDArray[np.bool_], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many flags [N] are up by each row among those of its label; labels [N] rise."""
    total = np.append(0, np.cumsum(flags))
    starts = np.flatnonzero(np.diff(label, prepend=-1))
    return np.asarray(total[1:] - np.repeat(total[starts], np.diff(starts, append=len(label))))


def _average_precision(
    label: NDArray[np.int64], right: NDArray[np.bool_], wrong: NDArray[np.int64], truths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """AP [C] by 101 points of recall, from the detections [F] that found an object and how many failed before them."""
    true = _running(right, label)[right]
    precision = true / (true + wrong[right])  # where a detection is not right, no point of recall is reached
    ends = np.cumsum(np.bincount(label[right], minlength=len(truths)))[:-1]
    ap = np.full(len(truths), np.nan)
    for index, (found, one) in enumerate(zip(np.split(true, ends), np.split(precision, ends), strict=True)):
        if truths[index]:
            envelope = np.maximum.accumulate(one[::-1])[::-1]
            reached = np.searchsorted(found / truths[index], _POINTS)
            ap[index] = envelope[reached[reached < len(one)]].sum() / len(_POINTS)
    return ap
