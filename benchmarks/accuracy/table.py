"""What each ingredient of a detector is worth: mean AP when one after another is added, every proposal scored.

All rows are made of the scores that `score.py` kept, of the crops, of their mirror images and of further models, so a
row costs seconds. A difference is paired: both rows meet the same resampled images.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scored_images import ScoredImages, add_flags, read_scores
from screened import load_screen, pool, screen_images

from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision, mean_of_defined
from googlenet_rcnn.eval.bootstrap import bootstrap_aps, interval
from googlenet_rcnn.eval.match_rule import RULES, MatchRule
from googlenet_rcnn.eval.matching import Matches

__all__ = ["Ingredients", "Row", "rows"]


@dataclass(frozen=True)
class Ingredients:
    """What goes into a row; `source` is the only one whose proposals count, None for all.

    `averaged` names what is averaged with the scores of the model's crops.
    """

    box_regression: bool = False
    box_voting: float = 1.0
    vote: float = 0.0
    nms: float = 0.3
    source: str | None = None
    averaged: str | None = None


class Row(NamedTuple):
    """Mean AP with its interval, proposals an image, and the difference from the row that `than` names."""

    name: str
    proposals: float
    map: float
    low: float
    high: float
    than: str
    difference: tuple[float, float, float] | None


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that rows are made of; `averaged` are mean scores of crops and something else, by the name of that."""

    plain: ScoredImages
    averaged: Mapping[str, Sequence[RegionScores]]
    screened: Sequence[NDArray[np.float32]]
    rule: MatchRule
    threshold: float

    def matches(self, use: Ingredients) -> tuple[float, Matches]:
        """Proposals an image and the verdicts on what is found with these ingredients."""
        images = self.plain
        masks = [
            np.ones(len(found), dtype=np.bool_)
            if use.source is None
            else np.array(found.source_names)[found.sources] == use.source
            for found in images.proposals
        ]
        seen = images.scores if use.averaged is None else self.averaged[use.averaged]
        scores = pool(seen, self.screened, use.vote)
        images = images._replace(proposals=[found[mask] for found, mask in zip(images.proposals, masks, strict=True)])
        kept = [
            RegionScores(one.probabilities[mask], None if one.offsets is None else one.offsets[mask])
            for one, mask in zip(scores, masks, strict=True)
        ]
        selection = Selection(self.threshold, use.nms, box_voting=use.box_voting, box_regression=use.box_regression)
        return float(np.mean([mask.sum() for mask in masks])), images.match(kept, selection, self.rule)


def steps(
    material: Material, vote: float, box_voting: float, nms: Sequence[float]
) -> Iterator[tuple[str, str, Ingredients]]:
    """Name of each row, the row it is compared with, and what goes into it."""
    use = Ingredients()
    before = "class scores alone"
    yield before, "", use
    for name, change in (
        ("+ box regression", {"box_regression": True}),
        ("+ box voting", {"box_voting": box_voting}),
        ("+ the vote of screening", {"vote": vote}),
    ):
        use = replace(use, **change)
        yield name, before, use
        before = name
    for other in material.averaged:
        yield f"all that, averaged with {other}", before, replace(use, averaged=other)
    sources = sorted({name for found in material.plain.proposals for name in found.source_names})
    for source in sources if len(sources) > 1 else ():
        yield f"all that, boxes of {source} alone", before, replace(use, source=source)
    for value in nms:
        yield f"all that, NMS at {value:g}", before, replace(use, nms=value)


def rows(material: Material, vote: float, box_voting: float, nms: Sequence[float], rounds: int) -> Iterator[Row]:
    """One row after another."""
    known: dict[str, NDArray[np.float64]] = {}
    for name, than, use in steps(material, vote, box_voting, nms):
        proposals, matches = material.matches(use)
        drawn = bootstrap_aps(matches, material.rule, rounds)
        means = np.array([average_precision(matches, material.rule).mean, *map(mean_of_defined, drawn)])
        low, high, _ = interval(means[1:])
        gain = None
        if than:
            gains = means - known[than]
            gain = (float(gains[0]), *interval(gains[1:])[:2])
        known[name] = means
        yield Row(name, proposals, float(means[0]), low, high, than, gain)


def _cells(row: Row) -> list[str]:
    cells = [row.name, f"{row.proposals:.0f}", f"{row.map:.4f}", f"{row.low:.3f} to {row.high:.3f}"]
    if row.difference is None:
        return [*cells, "", ""]
    gain, low, high = (100 * value for value in row.difference)
    return [*cells, f"{gain:+.1f}", f"{low:+.1f} to {high:+.1f}"]


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_flags(parser)
    parser.add_argument("--mirrored", type=Path, nargs="*", default=[], help="npz files of score.py --mirror")
    parser.add_argument("--models", type=Path, nargs="*", default=[], help="npz files of further models")
    parser.add_argument("--weights", type=Path, required=True, help="detector whose screening head votes")
    parser.add_argument("--runtime", default="auto", help="of the trunk that screens [%(default)s]")
    parser.add_argument("--vote", type=float, help="of screening in the scores [as the weights say]")
    parser.add_argument("--nms", type=float, nargs="*", default=[0.2, 0.4, 0.5], help="further overlaps [%(default)s]")
    parser.add_argument("--bootstrap", type=int, default=1000, help="rounds [%(default)s]")
    flags = parser.parse_args()

    def say(message: str) -> None:
        print(message, file=sys.stderr)

    try:
        screen = load_screen(flags.weights, flags.runtime, say)
        plain = ScoredImages.read(flags)
        others = {"mirrors": flags.mirrored, f"{len(flags.models)} further models": flags.models}
        counts, classes = list(map(len, plain.proposals)), len(plain.dataset.labels)
        averaged = {
            name: read_scores([*flags.scores, *paths], counts, classes) for name, paths in others.items() if paths
        }
        material = Material(plain, averaged, screen_images(plain, screen, say), RULES[flags.rule], flags.threshold)
        vote = screen.vote if flags.vote is None else flags.vote
        found = [_cells(row) for row in rows(material, vote, flags.box_voting, flags.nms, flags.bootstrap)]
    except ProjectError as error:
        say(f"error: {error}")
        return int(error.exit)
    print(markdown(["", "boxes", "mAP", "95 % interval", "points", "95 % interval"], found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
