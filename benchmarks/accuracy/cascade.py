"""Learns when a proposal is worth a crop: crops and mean AP of fast mode under many settings of its cascade.

Every image is screened once. What a setting lets through has the scores that `score.py` kept, as in exhaustive
mode, and the rest is background. The cheapest setting that loses little can be written into the weights.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scored_images import ScoredImages, add_flags

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.detector.cascade import Cascade, CascadeSettings
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.screening import Screen
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision, mean_of_defined
from googlenet_rcnn.eval.bootstrap import bootstrap_aps, interval
from googlenet_rcnn.eval.match_rule import RULES, MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["Row", "cheapest", "measure", "screen_images", "write_settings"]


class Row(NamedTuple):
    """Crops an image, on average and at most, mean AP, and how it differs from exhaustive mode's with the interval of
    that over resampled images."""

    settings: CascadeSettings
    crops: float
    most: int
    map: float
    difference: float
    low: float
    high: float


def screen_images(images: ScoredImages, screen: Screen, say: Callable[[str], None]) -> list[NDArray[np.float32]]:
    """Screening probabilities [N,1+C] of the proposals of each image."""
    found = []
    for sample, proposals in zip(images.dataset.samples, images.proposals, strict=True):
        found.append(screen.probabilities(read_image(sample.path).pixels, proposals.boxes))
        if len(found) % 100 == 0:
            say(f"screened {len(found)} of {len(images.proposals)} images")
    return found


def measure(
    images: ScoredImages,
    screened: Sequence[NDArray[np.float32]],
    settings: Iterable[CascadeSettings],
    selection: Selection,
    rule: MatchRule,
    rounds: int,
) -> list[Row]:
    """One row for each setting, compared with exhaustive mode on the same resampled images; fewest crops first."""
    whole = _means(images.match(images.scores, selection, rule), rule, rounds)
    rows = []
    for one in settings:
        chosen = [one.choose(found.boxes, seen) for found, seen in zip(images.proposals, screened, strict=True)]
        left = [_only(*pair) for pair in zip(images.scores, chosen, strict=True)]
        means = _means(images.match(left, selection, rule), rule, rounds)
        low, high, _ = interval(means[1:] - whole[1:])
        crops = [len(kept) for kept in chosen]
        difference = float(means[0] - whole[0])
        rows.append(Row(one, float(np.mean(crops)), max(crops), float(means[0]), difference, low, high))
    return sorted(rows, key=lambda row: (row.crops, -row.difference))


def _only(scores: RegionScores, rows: NDArray[np.int64]) -> RegionScores:
    """The scores of some boxes; the others are background."""
    offsets = None if scores.offsets is None else scores.offsets[rows]
    return RegionScores(scores.probabilities[rows], offsets).spread(rows, len(scores.probabilities))


def _means(matches: Matches, rule: MatchRule, rounds: int) -> NDArray[np.float64]:
    """Mean AP of the images as they are, then of each draw of them."""
    drawn = bootstrap_aps(matches, rule, rounds)
    return np.array([average_precision(matches, rule).mean, *map(mean_of_defined, drawn)])


def cheapest(rows: Sequence[Row], tolerance: float) -> Row | None:
    """The row with the fewest crops among those that lose less than `tolerance` points of mean AP."""
    return min((row for row in rows if -100 * row.difference < tolerance), key=lambda row: row.crops, default=None)


def write_settings(weights: Path, row: Row, out: Path, images: int) -> None:
    """The same weights with the row's settings in their Card."""
    card = read_card(weights)
    screen = (card.screen or {}) | {"cascade": row.settings.model_dump(mode="json")}
    figures = {"images": images, "crops": round(row.crops, 1), "map": round(row.map, 4)}
    figures["difference"] = round(row.difference, 4)
    metrics = card.metrics | {"cascade": figures}
    save_weights(out, read_tensors(weights), card.model_copy(update={"screen": screen, "metrics": metrics}))


def _table(rows: Sequence[Row]) -> str:
    head = ["doubt", "overlap", "limit", "crops", "most", "mAP", "difference", "95 % interval"]
    return markdown(head, [
        [
            f"{row.settings.doubt:g}", f"{row.settings.overlap:g}", str(row.settings.limit), f"{row.crops:.1f}",
            str(row.most), f"{row.map:.4f}", f"{row.difference:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}",
        ]
        for row in rows
    ])  # fmt: skip


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
    parser.add_argument("--tolerance", type=float, default=0.3, help="points of mean AP to lose [%(default)s]")
    parser.add_argument("--write", type=Path, help="the weights with the suggested settings")
    flags = parser.parse_args()
    if flags.bootstrap < 1:
        parser.error("--bootstrap is at least 1")

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
        cascade = Cascade.load(
            flags.weights, lambda side: load_engine(flags.weights, "trunk", flags.runtime, side=side, say=say)
        )
        images = ScoredImages.read(flags)
        screened = screen_images(images, cascade.screen, say)
        rows = measure(images, screened, settings, Selection(flags.threshold), RULES[flags.rule], flags.bootstrap)
        print(_table(rows))
        row = cheapest(rows, flags.tolerance)
        if row is None:
            say(f"no setting loses less than {flags.tolerance:g} points: lower --doubt, raise --overlap or --limit")
            return 1
        print(f"\ncheapest within {flags.tolerance:g} points: {row.settings}, {row.crops:.1f} crops an image")
        if flags.write:
            write_settings(flags.weights, row, flags.write, len(images.proposals))
    except ProjectError as error:
        say(f"error: {error}")
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
