"""What each kind of error costs: the six kinds of TIDE (Bolya et al., 2020), and the mAP that mending one gains."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.eval.average_precision import weighted_ap
from googlenet_rcnn.eval.false_positives import LEAST_OVERLAP
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches
from googlenet_rcnn.eval.misses import missed_objects
from googlenet_rcnn.eval.nearest_objects import NearestObjects

__all__ = ["KINDS", "TideErrors", "error_costs", "map_without", "tide_errors"]

KINDS = ("localisation", "classification", "duplicate", "background", "both", "missed")
"""The first five are kinds of false detections, tried in this order; the last is of objects."""


@dataclass(frozen=True, eq=False)
class TideErrors:
    """Kind [N] of each ranked detection (-1: not false), the object it finds once mended [N] (-1: none), and
    which of all objects [K] are missed: neither found nor to be found by mending a detection."""

    kind: NDArray[np.int64]
    mended: NDArray[np.int64]
    missed: NDArray[np.bool_]


def tide_errors(matches: Matches, nearest: NearestObjects) -> TideErrors:
    """Sorts false detections and missed objects into KINDS; "enough" overlap is the rule's, "none" is up to 0.1."""
    own, other = nearest.own, nearest.other
    place = ~own.enough & (own.overlap >= LEAST_OVERLAP)
    nothing = np.maximum(own.overlap, other.overlap) <= LEAST_OVERLAP
    kind = np.where(matches.false, np.select([place, other.enough, own.enough, nothing], [0, 1, 2, 3], 4), -1)
    free = np.zeros(len(matches.objects) + 1, dtype=np.bool_)  # one more, which is the -1 of no object
    free[missed_objects(matches)] = True
    meant = np.where(kind == 0, own.index, np.where(kind == 1, other.index, -1))
    # Of all badly placed or named detections of an object, whatever their kind, the best one would find it.
    candidates = np.flatnonzero(free[meant])
    first = candidates[np.unique(meant[candidates], return_index=True)[1]]
    mended = np.full(len(kind), -1, dtype=np.int64)
    mended[first] = meant[first]
    free[mended[first]] = False
    return TideErrors(kind, mended, free[:-1])


def error_costs(matches: Matches, errors: TideErrors, rule: MatchRule) -> dict[str, float]:
    """Gain in mAP when one kind alone is mended, for each of KINDS; NaN where there is no object.

    And for all "false positives" and all "false negatives" whatever their kind. The gains do not add up.
    """
    base = map_without(matches, errors, rule, ())
    costs = {kind: map_without(matches, errors, rule, (kind,)) - base for kind in KINDS}
    nothing = np.zeros(0, dtype=np.int64)
    costs["false positives"] = _mean_ap(matches, matches.label, matches.true, matches.true, nothing, rule) - base
    counted, unfound = matches.true | matches.false, missed_objects(matches)
    costs["false negatives"] = _mean_ap(matches, matches.label, matches.true, counted, unfound, rule) - base
    return costs


def map_without(matches: Matches, errors: TideErrors, rule: MatchRule, kinds: Collection[str]) -> float:
    """The mean AP once the named kinds are mended.

    A badly placed or named detection becomes right if it is the best one of an object that is not found, and
    goes otherwise; the other false kinds go; missed objects are no longer asked for.
    """
    wanted = [KINDS.index(kind) for kind in kinds]
    touched = np.isin(errors.kind, wanted) & matches.false
    right = touched & (errors.mended >= 0)
    label, true, kept = matches.label.copy(), matches.true.copy(), (matches.true | matches.false) & ~touched
    label[right] = matches.objects.label[errors.mended[right]]
    true[right] = kept[right] = True
    forgiven = np.flatnonzero(errors.missed & ("missed" in kinds))
    return _mean_ap(matches, label, true, kept, forgiven, rule)


def _mean_ap(
    matches: Matches,
    label: NDArray[np.int64],
    true: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    forgiven: NDArray[np.int64],
    rule: MatchRule,
) -> float:
    """Mean AP over the classes with objects of the kept detections, without the forgiven objects (indices)."""
    truths = np.bincount(matches.truth_label, minlength=matches.labels)
    left = truths - np.bincount(matches.objects.label[forgiven], minlength=matches.labels)
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(label[rows], kind="stable")]
    bounds = np.searchsorted(label[rows], np.arange(matches.labels + 1))
    aps = []
    for one in np.flatnonzero(truths):
        right = true[rows[bounds[one] : bounds[one + 1]]].astype(np.int64)
        # With every object forgiven, a class is perfect unless something is still detected.
        aps.append(weighted_ap(right, 1 - right, int(left[one]), rule) if left[one] else float(len(right) == 0))
    return float(np.mean(aps)) if aps else float("nan")
