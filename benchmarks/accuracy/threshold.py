"""Which detections are worth showing: precision and recall at each threshold, and the one with the best F1.

Detections of all classes are counted together. A score says how sure a detector is; this says how often it is right.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.cli.scoring import read_found, read_split
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.eval.calibration import calibration
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import Matches, match

__all__ = ["At", "at_thresholds", "best"]


class At(NamedTuple):
    """Detections an image with at least this score, how many of them are right, and how many objects they find."""

    threshold: float
    detections: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if nothing was found."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total > 0 else 0.0


def at_thresholds(matches: Matches, thresholds: Sequence[float]) -> list[At]:
    """What each threshold lets through; what the rule ignores does not count, and of nothing all is right."""
    counted = matches.true | matches.false
    score, true = matches.score[counted], matches.true[counted]
    objects = len(matches.truth_image)
    rows = []
    for threshold in thresholds:
        passed = score >= threshold
        found = int(true[passed].sum())
        shares = (found / max(1, objects), found / passed.sum() if passed.any() else 1.0)
        rows.append(At(threshold, float(passed.sum()) / max(1, matches.images), float(shares[1]), float(shares[0])))
    return rows


def best(rows: Sequence[At]) -> At:
    """The row with the greatest F1, of equal ones that with the higher threshold."""
    return max(rows, key=lambda row: (row.f1, row.threshold))


def main() -> int:
    """Prints the table, the calibration and the suggestion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("detections", type=Path, help="of `detect --score-threshold 0.01`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, help="images of the split [all]")
    parser.add_argument("--rule", default="voc07")
    parser.add_argument("--weights", type=Path, help="detector that is to be given the suggestion")
    parser.add_argument("--write", type=Path, help="where the weights go, with the suggestion in their Card")
    flags = parser.parse_args()
    if (flags.weights is None) != (flags.write is None):
        parser.error("--weights and --write belong together")
    try:
        dataset, rule = read_split(flags.data, flags.split, flags.first), RULES[flags.rule]
        results, _ = read_found(flags.detections, dataset, flags.split, ignore_unknown=True)
        matches = match(results.table, dataset, rule)
        rows = at_thresholds(matches, np.arange(0.05, 1.0, 0.05).round(2).tolist())
        head = ["score", "detections an image", "precision", "recall", "F1"]
        print(
            markdown(
                head, [[f"{row.threshold:.2f}", *(f"{value:.3f}" for value in (*row[1:], row.f1))] for row in rows]
            )
        )
        if (found := calibration(matches)) is not None:
            print(f"\nexpected calibration error {found.error:.3f}; precision by score:")
            bins = [
                [f"{number / 10:.1f}", str(count), f"{score:.3f}", f"{precision:.3f}"]
                for number, (count, score, precision) in enumerate(
                    zip(found.count, found.score, found.precision, strict=True)
                )
            ]
            print(markdown(["from", "detections", "mean score", "precision"], bins))
        chosen = best(rows)
        print(f"\nbest F1 at {chosen.threshold:g}: precision {chosen.precision:.3f}, recall {chosen.recall:.3f}")
        if flags.write is not None:
            card = read_card(flags.weights).model_copy(update={"score_threshold": chosen.threshold})
            save_weights(flags.write, read_tensors(flags.weights), card)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
