"""`evaluate compare A B`: whether the second result file is really better than the first."""

import json
import sys
from pathlib import Path

from googlenet_rcnn.core.errors import Exit, UsageError

from .scoring import known_rule, note, read_found, read_split

__all__ = ["run_compare"]


def run_compare(
    a: Path,
    b: Path,
    data: Path,
    split: str,
    rule: str,
    *,
    first: int | None = None,
    rounds: int = 1000,
    ignore_unknown: bool = False,
    seed: int = 0,
) -> int:
    """Compares two result files on a split: a table with a verdict on a terminal, JSON when piped."""
    from googlenet_rcnn.eval.comparison import compare_detections, comparison_content, comparison_table
    from googlenet_rcnn.eval.matching import match

    chosen = known_rule(rule)
    if rounds < 1:
        raise UsageError("FLAG_VALUE", "--rounds is at least 1")
    dataset = read_split(data, split, first)
    matches = []
    for name, path in (("A", a), ("B", b)):
        note(f"{name} is {path}")
        results, _ = read_found(path, dataset, split, ignore_unknown or first is not None)
        matches.append(match(results.table, dataset, chosen))
    compared = compare_detections(matches[0], matches[1], chosen, rounds, seed)
    if sys.stdout.isatty():
        print(comparison_table(compared, dataset.labels))
    else:
        print(json.dumps(comparison_content(compared, dataset.labels), indent=2))
    return Exit.OK
