"""Learns when a proposal is worth a crop: crops and mean AP of fast mode under many settings of its cascade.

Every image is screened once. What a setting lets through has the scores that `score.py` kept, as in exhaustive
mode, and the rest what the cascade believes of it. The cheapest setting that loses little can be written into the
weights.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scored_images import ScoredImages, add_flags
from screened import load_screen, pool, screen_images

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.detector.cascade import CascadeSettings
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision, mean_of_defined
from googlenet_rcnn.eval.bootstrap import bootstrap_aps, drawn_aps, interval
from googlenet_rcnn.eval.match_rule import RULES, MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["Row", "Trial", "attempt", "cheapest", "cross_fit", "measure", "write_settings"]


class Trial(NamedTuple):
    """The cascade with a setting for each image: crops [images], and verdicts on what it finds."""

    settings: Sequence[CascadeSettings]
    crops: NDArray[np.int64]
    matches: Matches


class Row(NamedTuple):
    """Crops an image, on average and at most, mean AP, and how it differs from exhaustive mode's with the interval of
    that over resampled images; without settings where these were chosen on other images."""

    settings: CascadeSettings | None
    crops: float
    most: int
    map: float
    difference: float
    low: float
    high: float


def attempt(
    images: ScoredImages,
    screened: Sequence[NDArray[np.float32]],
    settings: Sequence[CascadeSettings],
    selection: Selection,
    rule: MatchRule,
) -> Trial:
    """What the cascade lets through and finds, with one setting for each image."""
    left, crops = [], []
    for one, found, scores, seen in zip(settings, images.proposals, images.scores, screened, strict=True):
        rows = one.choose(found.boxes, seen)
        left.append(_only(scores, rows, one.unscored(seen)))
        crops.append(len(rows))
    return Trial(settings, np.array(crops), images.match(left, selection, rule))


def measure(trials: Sequence[Trial], whole: Matches, rule: MatchRule, rounds: int) -> list[Row]:
    """One row for each trial, compared with exhaustive mode on the same resampled images; fewest crops first."""
    reference = _means(whole, rule, rounds)
    rows = []
    for trial in trials:
        means = _means(trial.matches, rule, rounds)
        low, high, _ = interval(means[1:] - reference[1:])
        same = trial.settings[0] if len(set(trial.settings)) == 1 else None
        crops, most, difference = float(trial.crops.mean()), int(trial.crops.max()), float(means[0] - reference[0])
        rows.append(Row(same, crops, most, float(means[0]), difference, low, high))
    return sorted(rows, key=lambda row: (row.crops, -row.difference))


def cross_fit(
    trials: Sequence[Trial], whole: Matches, rule: MatchRule, tolerance: float, folds: int
) -> list[CascadeSettings]:
    """For each image the setting that the images of all other folds would suggest; the most thorough where none does.

    So an image's threshold is not chosen on it, and the figure that follows is not flattered by the choice.
    """
    fold = np.arange(whole.images) % folds
    others = (fold != np.arange(folds)[:, None]).astype(np.int64)  # [folds,images]
    reference, means = (
        np.array([[mean_of_defined(aps) for aps in drawn_aps(one, rule, others)] for one in each])
        for each in ([whole], [trial.matches for trial in trials])
    )
    crops = np.array([trial.crops for trial in trials]) @ others.T  # [trials,folds]
    enough = 100 * (reference - means) < tolerance
    best = np.where(enough.any(axis=0), np.where(enough, crops, np.inf).argmin(axis=0), crops.argmax(axis=0))
    return [trials[best[own]].settings[0] for own in fold]


def _only(scores: RegionScores, rows: NDArray[np.int64], others: NDArray[np.float32]) -> RegionScores:
    """The scores of some boxes, and what is believed of the others."""
    offsets = None if scores.offsets is None else scores.offsets[rows]
    return RegionScores(scores.probabilities[rows], offsets).spread(rows, others)


def _means(matches: Matches, rule: MatchRule, rounds: int) -> NDArray[np.float64]:
    """Mean AP of the images as they are, then of each draw of them."""
    drawn = bootstrap_aps(matches, rule, rounds)
    return np.array([average_precision(matches, rule).mean, *map(mean_of_defined, drawn)])


def cheapest(rows: Sequence[Row], tolerance: float) -> Row | None:
    """The row with the fewest crops among those that lose less than `tolerance` points of mean AP."""
    return min((row for row in rows if -100 * row.difference < tolerance), key=lambda row: row.crops, default=None)


def write_settings(weights: Path, settings: CascadeSettings, vote: float, honest: Row, out: Path, images: int) -> None:
    """The same weights with these settings and the vote in their Card, and the figures of `honest`."""
    card = read_card(weights)
    screen = (card.screen or {}) | {"cascade": settings.model_dump(mode="json"), "vote": vote}
    figures = {"images": images, "crops": round(honest.crops, 1), "map": round(honest.map, 4)}
    figures |= {"difference": round(honest.difference, 4), "low": round(honest.low, 4), "high": round(honest.high, 4)}
    metrics = card.metrics | {"cascade": figures}
    save_weights(out, read_tensors(weights), card.model_copy(update={"screen": screen, "metrics": metrics}))


def _table(rows: Sequence[Row]) -> str:
    head = ["doubt", "overlap", "limit", "crops", "most", "mAP", "difference", "95 % interval"]
    return markdown(head, [
        [
            *_told(row.settings), f"{row.crops:.1f}", str(row.most), f"{row.map:.4f}",
            f"{row.difference:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}",
        ]
        for row in rows
    ])  # fmt: skip


def _told(settings: CascadeSettings | None) -> list[str]:
    if settings is None:
        return ["chosen on other images", "", ""]
    return [f"{settings.doubt:g}", f"{settings.overlap:g}", str(settings.limit)]


def main() -> int:
    """Prints the table and the suggestion."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_flags(parser)
    parser.add_argument("--weights", type=Path, required=True, help="detector with a screening head")
    parser.add_argument("--runtime", default="auto", help="of the trunk that screens [%(default)s]")
    parser.add_argument("--doubt", type=float, nargs="+", default=[0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2])
    parser.add_argument("--overlap", type=float, nargs="+", default=[0.4, 0.5, 0.6, 0.7, 1.0])
    parser.add_argument("--limit", type=int, nargs="+", default=[150], help="most crops of an image")
    parser.add_argument("--bootstrap", type=int, default=200, help="rounds [%(default)s]")
    parser.add_argument("--nms", type=float, default=0.3, help="overlap of non-maximum suppression [%(default)s]")
    parser.add_argument("--vote", type=float, help="of screening in the scores [as the weights say]")
    parser.add_argument("--folds", type=int, default=5, help="parts for the honest figure [%(default)s]")
    parser.add_argument("--tolerance", type=float, default=0.3, help="points of mean AP to lose [%(default)s]")
    parser.add_argument("--write", type=Path, help="the weights with the suggested settings")
    flags = parser.parse_args()
    if flags.bootstrap < 1 or flags.folds < 2:
        parser.error("--bootstrap is at least 1, --folds at least 2")

    def say(message: str) -> None:
        print(message, file=sys.stderr)

    try:
        settings = [
            CascadeSettings(doubt=doubt, overlap=overlap, limit=limit)
            for doubt, overlap, limit in product(flags.doubt, flags.overlap, flags.limit)
        ]
    except ValueError as error:
        parser.error(str(error))
    try:
        screen = load_screen(flags.weights, flags.runtime, say)
        images = ScoredImages.read(flags)
        screened = screen_images(images, screen, say)
        vote = screen.vote if flags.vote is None else flags.vote
        images = images._replace(scores=pool(images.scores, screened, vote))
        selection, rule, count = (
            Selection(flags.threshold, flags.nms, box_voting=flags.box_voting),
            RULES[flags.rule],
            len(images.proposals),
        )
        trials = [attempt(images, screened, [one] * count, selection, rule) for one in settings]
        whole = images.match(images.scores, selection, rule)
        rows = measure(trials, whole, rule, flags.bootstrap)
        print(_table(rows))
        row = cheapest(rows, flags.tolerance)
        if row is None or row.settings is None:
            say(f"no setting loses less than {flags.tolerance:g} points: lower --doubt, raise --overlap or --limit")
            return 1
        print(f"\ncheapest within {flags.tolerance:g} points: {row.settings}, {row.crops:.1f} crops an image")
        fitted = cross_fit(trials, whole, rule, flags.tolerance, min(flags.folds, count))
        (honest,) = measure([attempt(images, screened, fitted, selection, rule)], whole, rule, flags.bootstrap)
        print(f"with the setting of an image always chosen on others ({flags.folds} folds):\n\n{_table([honest])}")
        if flags.write:
            write_settings(flags.weights, row.settings, vote, honest, flags.write, count)
    except ProjectError as error:
        say(f"error: {error}")
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
