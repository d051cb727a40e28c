"""How much a mean AP would vary over other samples of images like these."""

from typing import NamedTuple

import numpy as np

from googlenet_rcnn.eval.average_precision import mean_of_defined, weighted_ap
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["MapInterval", "bootstrap_map"]


class MapInterval(NamedTuple):
    """Bounds between which the mean AP lies with the given confidence."""

    low: float
    high: float
    confidence: float


def bootstrap_map(
    matches: Matches, rule: MatchRule, rounds: int = 1000, seed: int = 0, confidence: float = 0.95
) -> MapInterval:
    """Percentile interval of the mean AP over images drawn with replacement; NaN if it is undefined.

    Matching never crosses images, so a drawn image counts as often as it was drawn without a new match.
    """
    if rounds < 1 or not 0 < confidence < 1:
        raise ValueError(f"need rounds >= 1 and 0 < confidence < 1, got {rounds} and {confidence}")
    if matches.images == 0:
        return MapInterval(float("nan"), float("nan"), confidence)
    classes = []
    for label in range(matches.labels):
        truth_images = matches.truth_image[matches.truth_label == label]
        if not len(truth_images):
            continue
        rows = np.flatnonzero((matches.label == label) & (matches.true | matches.false))
        right = np.flatnonzero(matches.true[rows])
        rows = rows[: right[-1] + 1] if len(right) else rows[:0]  # nothing behind the last find matters
        classes.append((matches.image_index[rows], matches.true[rows], truth_images))
    generator = np.random.default_rng(seed)
    even = np.full(matches.images, 1 / matches.images)
    means = np.empty(rounds)
    for number in range(rounds):
        draws = generator.multinomial(matches.images, even)
        aps = np.full(len(classes), np.nan)
        for index, (images, true, truth_images) in enumerate(classes):
            weights = draws[images]
            right_weights = weights * true
            aps[index] = weighted_ap(right_weights, weights - right_weights, int(draws[truth_images].sum()), rule)
        means[number] = mean_of_defined(aps)
    defined = means[~np.isnan(means)]
    if not defined.size:
        return MapInterval(float("nan"), float("nan"), confidence)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return MapInterval(float(low), float(high), confidence)
