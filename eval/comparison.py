"""Whether one detector is really better than another: both meet the same resampled images."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.average_precision import average_precision, mean_of_defined
from googlenet_rcnn.eval.bootstrap import bootstrap_aps, interval
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["Comparison", "Difference", "compare_detections", "comparison_content", "comparison_table"]


class Difference(NamedTuple):
    """Two average precisions, the second less the first, and the interval of that over resampled images."""

    a: float
    b: float
    difference: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies above or below 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Comparison:
    """Differences of the mean and of each class, and in what part of the rounds B was not better."""

    rule: str
    images: int
    rounds: int
    confidence: float
    mean: Difference
    classes: tuple[Difference, ...]
    not_better: float

    @property
    def verdict(self) -> str:
        """The answer in words."""
        return {1: "B is better", -1: "B is worse", 0: "no difference shown"}[self.mean.sign]


def compare_detections(
    a: Matches, b: Matches, rule: MatchRule, rounds: int = 1000, seed: int = 0, confidence: float = 0.95
) -> Comparison:
    """Compares two sets of detections of one data set by a paired bootstrap over its images.

    Both are scored on the same draws, so what makes images hard for both cancels out.
    """
    if (a.images, a.labels) != (b.images, b.labels):
        raise ValueError("both must be matched against the same data set")
    draws_a, draws_b = bootstrap_aps(a, rule, rounds, seed), bootstrap_aps(b, rule, rounds, seed)
    ap_a, ap_b = average_precision(a, rule).ap, average_precision(b, rule).ap
    means_a, means_b = (np.array([mean_of_defined(aps) for aps in draws]) for draws in (draws_a, draws_b))
    classes = tuple(
        _difference(float(ap_a[label]), float(ap_b[label]), draws_b[:, label] - draws_a[:, label], confidence)
        for label in range(a.labels)
    )
    mean = _difference(mean_of_defined(ap_a), mean_of_defined(ap_b), means_b - means_a, confidence)
    gains = (means_b - means_a)[~np.isnan(means_a)]
    not_better = float((gains <= 0).mean()) if len(gains) else float("nan")
    return Comparison(rule.name, a.images, rounds, confidence, mean, classes, not_better)


def _difference(a: float, b: float, gains: NDArray[np.float64], confidence: float) -> Difference:
    return Difference(a, b, b - a, *interval(gains, confidence)[:2])


def comparison_content(compared: Comparison, labels: LabelSet) -> dict[str, Any]:
    """The comparison as JSON; what is not defined is None (null)."""
    return {
        "rule": compared.rule,
        "images": compared.images,
        "rounds": compared.rounds,
        "confidence": compared.confidence,
        "map": _values(compared.mean),
        "p_not_better": _value(compared.not_better),
        "verdict": compared.verdict,
        "ap": {name: _values(one) for name, one in zip(labels.names, compared.classes, strict=True)},
    }


def comparison_table(compared: Comparison, labels: LabelSet) -> str:
    """One line a class, the mean and the verdict below; a star marks intervals that leave out 0."""
    width = max(len("class"), *map(len, labels.names))
    lines = [f"{'class':<{width}}       A       B    B - A  {compared.confidence:.0%} interval"]
    for name, one in [*zip(labels.names, compared.classes, strict=True), ("mean", compared.mean)]:
        cells = f"{_shown(one.a, 6)}  {_shown(one.b, 6)}  {_shown(one.difference, 7, '+')}"
        lines.append(
            f"{name:<{width}}  {cells}  {_shown(one.low, 7, '+')} to {_shown(one.high, 7, '+')}{' *' * abs(one.sign)}"
        )
    chance = "" if math.isnan(compared.not_better) else f"; B was not better in {compared.not_better:.1%} of the rounds"
    lines.append(f"{compared.verdict} ({compared.rounds} rounds over {compared.images} images{chance})")
    starred = sum(one.sign != 0 for one in compared.classes)
    if starred:
        lines.append(f"* by chance alone about one class in {1 / (1 - compared.confidence):.0f} would have a star")
    return "\n".join(lines)


def _values(one: Difference) -> dict[str, float | None]:
    return {name: _value(value) for name, value in one._asdict().items()}


def _value(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _shown(number: float, width: int, sign: str = "") -> str:
    return f"{'-' if math.isnan(number) else format(number, f'{sign}.4f'):>{width}}"
