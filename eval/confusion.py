"""What stands where: objects by what they were taken for, at one score threshold."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.matching import Matches
from googlenet_rcnn.eval.nearest_objects import NearestObjects

__all__ = ["Confusion", "confusion_matrix", "worst_confusions"]


class Confusion(NamedTuple):
    """Two classes and how many objects of the first were taken for the second."""

    truth: str
    taken_for: str
    objects: int


def confusion_matrix(matches: Matches, nearest: NearestObjects, threshold: float) -> NDArray[np.int64]:
    """Counts [C+1,C+1]: a row an object's class, a column what it was taken for, by detections from `threshold` on.

    An object that was found stands on the diagonal. One that was not is taken for the class of the
    best-scored false detection that overlaps it enough, and without any is missed (last column). False
    detections that are left over fill the last row. So the sum is the objects and those left over.
    """
    objects, labels = matches.objects, matches.labels
    shown = matches.score >= threshold
    true, false = matches.true & shown, matches.false & shown
    taken_for = np.full(len(objects.label), labels, dtype=np.int64)
    taken_for[matches.chosen[true]] = matches.label[true]
    candidates = np.flatnonzero(false & nearest.other.enough)
    candidates = candidates[(objects.counts & (taken_for == labels))[nearest.other.index[candidates]]]
    index, first = np.unique(nearest.other.index[candidates], return_index=True)
    used = candidates[first]
    taken_for[index] = matches.label[used]
    false[used] = False
    matrix = np.zeros((labels + 1, labels + 1), dtype=np.int64)
    np.add.at(matrix, (objects.label[objects.counts], taken_for[objects.counts]), 1)
    matrix[labels, :labels] = np.bincount(matches.label[false], minlength=labels)
    return matrix


def worst_confusions(matrix: NDArray[np.int64], labels: LabelSet, most: int = 20) -> list[Confusion]:
    """The pairs of classes confused most often, most first; equal ones in the order of the labels."""
    between = matrix[:-1, :-1].copy()
    np.fill_diagonal(between, 0)
    order = np.argsort(-between, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, between.shape), strict=True)
    return [
        Confusion(labels.names[truth], labels.names[said], int(between[truth, said]))
        for truth, said in pairs
        if between[truth, said]
    ]
