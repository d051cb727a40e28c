"""Average precision per class from ranked verdicts; classes without objects have none (NaN)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches, match

__all__ = ["ApReport", "average_precision", "evaluate_detections", "mean_of_defined", "weighted_ap"]


@dataclass(frozen=True, eq=False)
class ApReport:
    """AP [C] (NaN where there is no object), its mean, curves per class, and counts [C].

    `precision`, `recall` and `score` hold one array a class, over its detections that are not ignored.
    """

    ap: NDArray[np.float64]
    mean: float
    precision: tuple[NDArray[np.float64], ...]
    recall: tuple[NDArray[np.float64], ...]
    score: tuple[NDArray[np.float64], ...]
    truths: NDArray[np.int64]
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    ignored: NDArray[np.int64]


def evaluate_detections(table: DetectionTable, dataset: Dataset, rule: MatchRule) -> ApReport:
    """Average precision of detections on a data set."""
    return average_precision(match(table, dataset, rule), rule)


def average_precision(matches: Matches, rule: MatchRule) -> ApReport:
    """Average precision of matched detections."""
    classes = matches.labels
    truths = np.bincount(matches.truth_label, minlength=classes)
    counted = np.flatnonzero(matches.true | matches.false)
    # Whole numbers of 16 bits are sorted in linear time.
    counted = counted[np.argsort(matches.label[counted].astype(np.min_scalar_type(classes)), kind="stable")]
    ends = np.cumsum(np.bincount(matches.label[counted], minlength=classes))
    aps, precisions, recalls, scores = np.full(classes, np.nan), [], [], []
    for label, rows in enumerate(np.split(counted, ends[:-1])):
        true = matches.true[rows].astype(np.int64)
        aps[label] = weighted_ap(true, 1 - true, int(truths[label]), rule)
        found = np.cumsum(true)
        precisions.append(found / np.arange(1, len(rows) + 1))
        recalls.append(found / truths[label] if truths[label] else np.full(len(rows), np.nan))
        scores.append(matches.score[rows])
    return ApReport(
        aps,
        mean_of_defined(aps),
        tuple(precisions),
        tuple(recalls),
        tuple(scores),
        truths,
        np.bincount(matches.label[matches.true], minlength=classes),
        np.bincount(matches.label[matches.false], minlength=classes),
        np.bincount(matches.label[~matches.true & ~matches.false], minlength=classes),
    )


def mean_of_defined(values: NDArray[np.float64]) -> float:
    """Mean of the values that are not NaN; NaN if there is none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def weighted_ap(true: NDArray[np.int64], false: NDArray[np.int64], truths: int, rule: MatchRule) -> float:
    """AP of detections, best first, that stand for `true` [N] right and `false` [N] wrong ones each."""
    if truths == 0:
        return float("nan")
    found = np.cumsum(true)
    total = found + np.cumsum(false)
    precision = np.divide(found, total, out=np.zeros(len(found)), where=total > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if rule.curve == "area":
        return float(np.dot(envelope, true) / truths)
    # In whole numbers: as floats, recall 3/10 would miss the point 3 * 0.1 = 0.30000000000000004.
    at = np.searchsorted(found * 10, np.arange(11) * truths, side="left")
    reached = at[at < len(envelope)]
    return float(envelope[reached].sum() / 11)
