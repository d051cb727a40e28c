"""Which detections found an object: each is true, false or (on a don't-care object) ignored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.greedy_choice import greedy_choice
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.numbering import image_numbers
from googlenet_rcnn.eval.objects import Objects, collect_objects, excluded_cells
from googlenet_rcnn.eval.overlap_pairs import overlap_pairs

__all__ = ["Matches", "match"]


@dataclass(frozen=True, eq=False)
class Matches:
    """Detections best first with their verdicts, and where the objects to find are.

    `row` [N] leads back to the table; exactly one of `true`, `false`, ignored holds for each of the N.
    `truth_image`, `truth_label` [M] list the objects that count. `chosen` [N] is the object among all of them
    [K] that a detection was set against, -1 for none.
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
    chosen: NDArray[np.int64]
    objects: Objects


def match(table: DetectionTable, dataset: Dataset, rule: MatchRule) -> Matches:
    """Matches detections to the objects of a data set; what its excluded pairs hold is ignored."""
    images, labels = len(dataset.samples), len(dataset.labels)
    table.check_fits(dataset)
    objects = collect_objects(dataset)
    order = _best_first(table, dataset, rule)
    chosen = _choose(table, objects, labels, order, rule)
    ignored = (chosen >= 0) & ~np.append(objects.counts, True)[chosen]
    if dataset.excluded:
        ignored |= np.isin(table.image_index * labels + table.label, excluded_cells(dataset))[order]
    # Of several detections of one object only the best-scored found it.
    candidates = np.flatnonzero((chosen >= 0) & ~ignored)
    true = np.zeros(len(table), dtype=np.bool_)
    true[candidates[np.unique(chosen[candidates], return_index=True)[1]]] = True
    return Matches(
        images, labels, order, table.image_index[order], table.label[order], table.score[order],
        true, ~true & ~ignored, objects.image[objects.counts], objects.label[objects.counts],
        chosen, objects,
    )  # fmt: skip


def _best_first(table: DetectionTable, dataset: Dataset, rule: MatchRule) -> NDArray[np.int64]:
    """Rows by falling score; of equal ones the earlier row first, or that of the lower-numbered image."""
    if rule.ties == "row":
        return np.argsort(-table.score, kind="stable")
    numbers = np.array(image_numbers(dataset), dtype=np.int64)
    return np.lexsort((numbers[table.image_index], -table.score))


def _choose(
    table: DetectionTable, objects: Objects, labels: int, order: NDArray[np.int64], rule: MatchRule
) -> NDArray[np.int64]:
    """Index of the object that each ranked detection [N] overlaps enough, -1 for none."""
    thresholds = rule.thresholds(objects.boxes)
    cell, truth_cell = table.image_index * labels + table.label, objects.image * labels + objects.label
    pairs = overlap_pairs(table.boxes, cell, objects.boxes, truth_cell, float(thresholds.min(initial=1.0)))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    # By detection, the largest overlap first, of equal ones the object listed first.
    pairs = pairs.at(np.lexsort((pairs.truth, -pairs.overlap, rank[pairs.detection])))
    detection, truth, overlap = rank[pairs.detection], pairs.truth, pairs.overlap
    enough = overlap >= thresholds[truth]
    if rule.choice == "free":
        return greedy_choice(detection[enough], truth[enough], len(order), len(objects))
    chosen = np.full(len(order), -1, dtype=np.int64)
    nearest = enough & (np.diff(detection, prepend=-1) > 0)
    chosen[detection[nearest]] = truth[nearest]
    return chosen
