"""`evaluate detections`: a result file and a data set in, average precision and its explanation out."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import Exit, UsageError

from .report_folder import check_report_folder, write_report
from .scoring import known_rule, read_found, read_split

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
    similar: Sequence[str] = (),
    report: Path | None = None,
    overwrite: bool = False,
    seed: int = 0,
) -> int:
    """Scores a result file against a split, prints the table, and explains the errors in a `report` folder."""
    from googlenet_rcnn.eval.average_precision import average_precision
    from googlenet_rcnn.eval.bootstrap import bootstrap_map
    from googlenet_rcnn.eval.matching import match
    from googlenet_rcnn.eval.report import metrics, text_table

    chosen = known_rule(rule, also=("coco",))
    if bootstrap < 0 or (bootstrap and rule == "coco"):
        raise UsageError("FLAG_VALUE", "--bootstrap is at least 0, and is not known for --rule coco")
    if report is not None:
        check_report_folder(report, data, overwrite)
    dataset = read_split(data, split, first)
    groups = _groups(similar, dataset.labels.names)
    results, notes = read_found(detections, dataset, split, ignore_unknown or first is not None)
    matches = match(results.table, dataset, chosen)
    scored = average_precision(matches, chosen)
    interval, figures = None, {}
    if rule == "coco":
        from googlenet_rcnn.eval.coco_metric import coco_metrics
        from googlenet_rcnn.eval.coco_report import coco_content, coco_table

        coco = coco_metrics(results.table, dataset)
        content, table = coco_content(coco, dataset.labels, len(dataset.samples)), coco_table(coco, dataset.labels)
        scored, figures = replace(scored, ap=coco.ap, mean=coco.figures["AP"]), coco.figures
    else:
        interval = bootstrap_map(matches, chosen, rounds=bootstrap, seed=seed) if bootstrap else None
        content = metrics(scored, dataset.labels, chosen, len(dataset.samples), interval)
        table = text_table(scored, dataset.labels, interval)
    if sys.stdout.isatty() or report is not None:
        print(table)
    else:
        print(json.dumps(content, indent=2))
    if report is None:
        return Exit.OK
    from googlenet_rcnn.eval.error_analysis import analyse_errors, error_summary
    from googlenet_rcnn.eval.html_report import Evaluation, html_report

    errors = analyse_errors(results.table, matches, dataset.labels, chosen, groups)
    title = f"{detections.name} on {data.name} {split}"
    run = Evaluation(title, dataset, chosen, scored, errors, interval, tuple(figures.items()), notes)
    explained: dict[str, Any] = {**content, "errors": error_summary(errors)}
    write_report(report, explained, html_report(run))
    return Exit.OK


def _groups(similar: Sequence[str], names: Sequence[str]) -> list[list[str]] | None:
    """The groups of similar classes that flags name, None without any."""
    groups = [[name.strip() for name in one.split(",")] for one in similar]
    unknown = sorted({name for group in groups for name in group if name not in names})
    if unknown:
        raise UsageError("CLASS_UNKNOWN", f"--similar: {', '.join(unknown)}: there is no such class in the data")
    return groups or None
