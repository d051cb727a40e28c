"""Which objects are missed: by their size and by their shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.eval.matching import Matches

__all__ = ["Recalled", "missed_objects", "recall_by_aspect", "recall_by_percentile", "recall_by_size"]

_EDGES = (0.1, 0.3, 0.7, 0.9)


@dataclass(frozen=True)
class Recalled:
    """A group of objects: how many there are, how many are found at any score, and with the threshold's or more."""

    name: str
    objects: int
    found: int
    shown: int


def missed_objects(matches: Matches, threshold: float = -np.inf) -> NDArray[np.int64]:
    """Indices of the objects that count and are not found by a detection from `threshold` on."""
    missed = matches.objects.counts.copy()
    missed[matches.chosen[matches.true & (matches.score >= threshold)]] = False
    return np.flatnonzero(missed)


def recall_by_size(matches: Matches, threshold: float) -> tuple[Recalled, ...]:
    """COCO's sizes, by the area in pixels: small up to 32 x 32, large from 96 x 96."""
    group = np.searchsorted(np.array([32.0, 96.0]) ** 2, matches.objects.area, side="right")
    return _groups(matches, group, ("small", "medium", "large"), threshold)


def recall_by_percentile(matches: Matches, threshold: float) -> tuple[Recalled, ...]:
    """Hoiem's sizes, relative to the other objects of a class: its smallest tenth, the next fifth, ..."""
    group = np.searchsorted(_EDGES, _rank(matches, matches.objects.area), side="right")
    return _groups(matches, group, ("extra small", "small", "medium", "large", "extra large"), threshold)


def recall_by_aspect(matches: Matches, threshold: float) -> tuple[Recalled, ...]:
    """Hoiem's shapes, by width / height relative to the other objects of a class: its tallest tenth, ..."""
    width, height = (matches.objects.boxes[:, 2:] - matches.objects.boxes[:, :2]).T
    group = np.searchsorted(_EDGES, _rank(matches, width / height), side="right")
    return _groups(matches, group, ("extra tall", "tall", "medium", "wide", "extra wide"), threshold)


def _rank(matches: Matches, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of its class [K] that lies below each object that counts; equal values in order of the objects."""
    rank = np.zeros(len(values))
    counted = np.flatnonzero(matches.objects.counts)
    label = matches.objects.label[counted]
    order = np.lexsort((values[counted], label))
    label = label[order]
    first = np.searchsorted(label, label)
    rank[counted[order]] = (np.arange(len(label)) - first + 0.5) / np.bincount(label, minlength=1)[label]
    return rank


def _groups(
    matches: Matches, group: NDArray[np.int64], names: tuple[str, ...], threshold: float
) -> tuple[Recalled, ...]:
    found, shown = matches.objects.counts.copy(), matches.objects.counts.copy()
    found[missed_objects(matches)] = False
    shown[missed_objects(matches, threshold)] = False
    return tuple(
        Recalled(name, *(int((part & (group == index)).sum()) for part in (matches.objects.counts, found, shown)))
        for index, name in enumerate(names)
    )
