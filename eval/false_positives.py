"""Why a false detection is false: the four types of Hoiem, Chodpathumwan and Dai (2012)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.matching import Matches
from googlenet_rcnn.eval.nearest_objects import NearestObjects

__all__ = ["TYPES", "VOC_SIMILAR", "TopDetections", "false_positive_types", "similar_classes", "top_detections"]

TYPES = ("localisation", "similar", "other", "background")
"""A badly placed or second box of an object of its class; confusion with a similar class; with another; none."""

LEAST_OVERLAP = 0.1
"""Below this overlap a detection has nothing to do with an object."""

VOC_SIMILAR: tuple[tuple[str, ...], ...] = (
    ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    ("bird", "cat", "cow", "dog", "horse", "person", "sheep"),
    ("chair", "diningtable", "sofa"),
    ("aeroplane", "bird"),
)
"""Vehicles; animals, people among them; furniture; and things in the sky."""


@dataclass(frozen=True, eq=False)
class TopDetections:
    """What the best detections [C] of each class are, as many as it has objects: true, and false by type [C,4]."""

    considered: NDArray[np.int64]
    true: NDArray[np.int64]
    false: NDArray[np.int64]


def similar_classes(labels: LabelSet, groups: Sequence[Sequence[str]] | None = None) -> NDArray[np.bool_] | None:
    """Which classes [C,C] stand together in a group; None where nobody said which do.

    Without groups those of VOC serve label sets that consist of VOC's classes.
    """
    if groups is None:
        groups = VOC_SIMILAR
        voc = {name for group in groups for name in group} | {"bottle", "pottedplant", "tvmonitor"}
        if not voc.issuperset(labels.names):
            return None
    similar = np.zeros((len(labels), len(labels)), dtype=np.bool_)
    for group in groups:
        members = [labels.index(name) for name in group if groups is not VOC_SIMILAR or name in labels.names]
        similar[np.ix_(members, members)] = True
    np.fill_diagonal(similar, False)
    return similar


def false_positive_types(matches: Matches, nearest: NearestObjects) -> NDArray[np.int64]:
    """Index into TYPES of each ranked detection [N], -1 for those that are not false.

    The first type that fits: an overlap of 0.1 with an object of its class, of a similar one, of another.
    """
    near = [part.overlap >= LEAST_OVERLAP for part in (nearest.own, nearest.similar, nearest.other)]
    return np.where(matches.false, np.select(near, [0, 1, 2], 3), -1)


def top_detections(matches: Matches, types: NDArray[np.int64]) -> TopDetections:
    """Counts the types among the first detections of each class, as many as the class has objects."""
    counted = np.flatnonzero(matches.true | matches.false)
    by_class = counted[np.argsort(matches.label[counted], kind="stable")]
    label = matches.label[by_class]
    place = np.arange(len(label)) - np.searchsorted(label, label)
    truths = np.bincount(matches.truth_label, minlength=matches.labels)
    first = by_class[place < truths[label]]
    true = np.bincount(matches.label[first[matches.true[first]]], minlength=matches.labels)
    wrong = first[matches.false[first]]
    cells = np.bincount(matches.label[wrong] * len(TYPES) + types[wrong], minlength=matches.labels * len(TYPES))
    return TopDetections(truths, true, cells.reshape(matches.labels, len(TYPES)))
