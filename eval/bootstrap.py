"""How much an average precision would vary over other samples of images like these."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.eval.average_precision import mean_of_defined, weighted_ap
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["MapInterval", "bootstrap_aps", "bootstrap_map", "drawn_aps", "interval"]


class MapInterval(NamedTuple):
    """Bounds between which a mean AP, or a difference of two, lies with the given confidence."""

    low: float
    high: float
    confidence: float


def bootstrap_map(
    matches: Matches, rule: MatchRule, rounds: int = 1000, seed: int = 0, confidence: float = 0.95
) -> MapInterval:
    """Percentile interval of the mean AP over images drawn with replacement; NaN if it is undefined."""
    means = [mean_of_defined(aps) for aps in bootstrap_aps(matches, rule, rounds, seed)]
    return interval(np.array(means), confidence)


def bootstrap_aps(matches: Matches, rule: MatchRule, rounds: int = 1000, seed: int = 0) -> NDArray[np.float64]:
    """AP [rounds,C] of images drawn with replacement, NaN where no object of the class was drawn.

    The draws depend on the number of images and the seed alone: two detectors scored on the same data set
    meet the same images in each round.
    """
    if rounds < 1:
        raise ValueError(f"need rounds >= 1, got {rounds}")
    if not matches.images:
        return np.full((rounds, matches.labels), np.nan)
    even = np.full(matches.images, 1 / matches.images)
    return drawn_aps(matches, rule, np.random.default_rng(seed).multinomial(matches.images, even, rounds))


def drawn_aps(matches: Matches, rule: MatchRule, draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """AP [rounds,C] where each image counts as often as `draws` [rounds,images] says, NaN for a class without objects.

    Matching never crosses images, so none is matched anew.
    """
    # Only finds raise recall, so a class is its finds, each with the false detections ranked before it.
    false = np.flatnonzero(matches.false)
    false = false[np.argsort(matches.label[false], kind="stable")]
    false_images, starts = matches.image_index[false], np.searchsorted(matches.label[false], np.arange(matches.labels))
    classes = []
    for label in range(matches.labels):
        truth_images = matches.truth_image[matches.truth_label == label]
        if len(truth_images):
            found = np.flatnonzero(matches.true & (matches.label == label))
            own = false[matches.label[false] == label]
            before = starts[label] + np.searchsorted(own, np.concatenate([[0], found]))
            classes.append((label, matches.image_index[found], before, truth_images))
    aps = np.full((len(draws), matches.labels), np.nan)
    for row, drawn in zip(aps, draws, strict=True):
        passed = np.concatenate([[0], np.cumsum(drawn[false_images])])
        for label, found_images, before, truth_images in classes:
            truths = int(drawn[truth_images].sum())
            row[label] = weighted_ap(drawn[found_images], np.diff(passed[before]), truths, rule)
    return aps


def interval(values: NDArray[np.float64], confidence: float = 0.95) -> MapInterval:
    """The middle part of the values that are not NaN; NaN if there is none."""
    if not 0 < confidence < 1:
        raise ValueError(f"need 0 < confidence < 1, got {confidence}")
    defined = values[~np.isnan(values)]
    if not defined.size:
        return MapInterval(float("nan"), float("nan"), confidence)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return MapInterval(float(low), float(high), confidence)
