"""Whether a score of 0.8 is right in eight of ten cases."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.eval.matching import Matches

__all__ = ["Calibration", "ScoreHistogram", "calibration", "score_histogram"]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Bins [B] of equal width over 0..1: detections, their mean score and precision (NaN in empty bins).

    `error` is the expected calibration error: the mean over detections of |precision - mean score| of their
    bin; NaN without detections.
    """

    count: NDArray[np.int64]
    score: NDArray[np.float64]
    precision: NDArray[np.float64]
    error: float


@dataclass(frozen=True, eq=False)
class ScoreHistogram:
    """Detections by score: edges [B+1] of equal bins, and the true and false ones [B] in each."""

    edges: NDArray[np.float64]
    true: NDArray[np.int64]
    false: NDArray[np.int64]


def calibration(matches: Matches, bins: int = 10) -> Calibration | None:
    """Calibration of the detections that are not ignored; None if a score lies outside 0..1."""
    counted = matches.true | matches.false
    score, true = matches.score[counted], matches.true[counted]
    if len(score) and not (score.min() >= 0 and score.max() <= 1):
        return None
    place = np.minimum((score * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (score, true)]
    means = [np.divide(one, count, out=np.full(bins, np.nan), where=count > 0) for one in sums]
    error = float(np.abs(sums[0] - sums[1]).sum() / len(score)) if len(score) else float("nan")
    return Calibration(count, means[0], means[1], error)


def score_histogram(matches: Matches, bins: int = 20) -> ScoreHistogram:
    """Counts of true and false detections by score, over 0..1 or, where scores leave it, from least to greatest."""
    counted = matches.true | matches.false
    score = matches.score[counted]
    low, high = min(0.0, float(score.min(initial=0))), max(1.0, float(score.max(initial=1)))
    edges = np.linspace(low, high, bins + 1)
    true, false = (np.histogram(matches.score[part], edges)[0] for part in (matches.true, matches.false))
    return ScoreHistogram(edges, true, false)
