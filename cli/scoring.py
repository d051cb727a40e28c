"""What every scoring command begins with: a split of annotated images, and results set against it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Dataset

if TYPE_CHECKING:
    from googlenet_rcnn.eval.match_rule import MatchRule
    from googlenet_rcnn.eval.results import Results

__all__ = ["known_rule", "note", "read_found", "read_split"]


def known_rule(name: str, also: Sequence[str] = ()) -> "MatchRule":
    """The rule of that name; one of `also` counts with the objects that COCO's overlap 0.5 finds."""
    from googlenet_rcnn.eval.match_rule import RULES, MatchRule

    if name not in (known := (*RULES, *also)):
        raise UsageError("RULE_UNKNOWN", f"--rule {name}: known are {', '.join(known)}")
    return RULES.get(name) or MatchRule(name, choice="free")


def read_split(data: Path, split: str, first: int | None) -> Dataset:
    """The annotated images of a split, or the first of them."""
    from googlenet_rcnn.datasets.tree import read_dataset

    if first is not None and first < 1:
        raise UsageError("FLAG_VALUE", "--first is at least 1")
    dataset = read_dataset(data, split)
    if first is None:
        return dataset
    excluded = [pair for pair in dataset.excluded if pair[0] < first]
    return Dataset(dataset.labels, dataset.samples[:first], excluded=excluded)


def read_found(path: Path, dataset: Dataset, split: str, ignore_unknown: bool) -> tuple["Results", list[str]]:
    """The detections of a result file, and what is to be said about them; it is said on stderr as well."""
    from googlenet_rcnn.eval.odd_boxes import count_odd_boxes
    from googlenet_rcnn.eval.results import read_results

    results = read_results(path, dataset, split, ignore_unknown)
    odd = count_odd_boxes(results.table, dataset)
    images, rows = len(dataset.samples), len(results.table)
    notes = [
        f"{count} of {whole} {what}"
        for count, whole, what in (
            (results.missing, images, "images are missing from the file; they count as empty"),
            (results.failed, images, "images are failed in detection; they count as empty"),
            (odd.outside, rows, "detections leave their image; they count as written"),
            (odd.inverted, rows, "detections have x2 <= x1 or y2 <= y1; they count as written, so as false"),
        )
        if count
    ]
    for line in notes:
        note(line)
    return results, notes


def note(line: str) -> None:
    """A remark on stderr."""
    print(f"note: {line}", file=sys.stderr)
