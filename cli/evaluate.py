"""`evaluate detections`: a detections file and a data set in, average precision out."""

import json
import sys
from pathlib import Path

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.store import storage_error, write_json
from googlenet_rcnn.core.types import Dataset

__all__ = ["run_evaluate_detections"]


def run_evaluate_detections(
    data: Path,
    split: str,
    rule: str,
    detections: Path,
    *,
    first: int | None = None,
    bootstrap: int = 0,
    ignore_unknown: bool = False,
    report: Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
) -> int:
    """Scores a detections file against a split, prints the table, and writes metrics.json into `report`."""
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.eval.average_precision import average_precision
    from googlenet_rcnn.eval.bootstrap import bootstrap_map
    from googlenet_rcnn.eval.match_rule import RULES
    from googlenet_rcnn.eval.matching import match
    from googlenet_rcnn.eval.report import metrics, text_table
    from googlenet_rcnn.eval.results import read_results

    if rule not in ("voc07", "voc10"):
        raise UsageError("RULE_UNKNOWN", f"--rule {rule}: known are voc07, voc10")
    if (first is not None and first < 1) or bootstrap < 0:
        raise UsageError("FLAG_VALUE", "--first is at least 1, --bootstrap at least 0")
    if report is not None and (report / "metrics.json").exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{report} holds a report: choose another --report or say --overwrite")
    dataset: Dataset = read_dataset(data, split)
    if first is not None:
        dataset = Dataset(dataset.labels, dataset.samples[:first])
    results = read_results(detections, dataset, ignore_unknown=ignore_unknown or first is not None)
    for what, count in (("missing from the file", results.missing), ("failed in detection", results.failed)):
        if count:
            print(f"note: {count} of {len(dataset.samples)} images are {what}; they count as empty", file=sys.stderr)
    matches = match(results.table, dataset, RULES[rule])
    scored = average_precision(matches, RULES[rule])
    interval = bootstrap_map(matches, RULES[rule], rounds=bootstrap, seed=seed) if bootstrap else None
    if sys.stdout.isatty() or report is not None:
        print(text_table(scored, dataset.labels, interval))
    content = metrics(scored, dataset.labels, RULES[rule], len(dataset.samples), interval)
    if report is None:
        if not sys.stdout.isatty():
            print(json.dumps(content, indent=2))
        return Exit.OK
    try:
        report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, report) from error
    write_json(report / "metrics.json", content)
    return Exit.OK
