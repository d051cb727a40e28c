"""`evaluate proposals`: a proposals file and a data set in, recall and best overlaps out."""

import json
import sys
from pathlib import Path

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.store import storage_error, write_json
from googlenet_rcnn.core.types import Dataset

__all__ = ["run_evaluate_proposals"]


def run_evaluate_proposals(
    data: Path,
    split: str,
    proposals: Path,
    *,
    first: int | None = None,
    ignore_unknown: bool = False,
    report: Path | None = None,
    overwrite: bool = False,
) -> int:
    """Measures a proposals file on a split, prints the table, and writes metrics.json and plots into `report`."""
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.eval.proposal_file import read_proposals
    from googlenet_rcnn.eval.proposal_recall import proposal_recall
    from googlenet_rcnn.eval.proposal_report import proposal_metrics, proposal_table
    from googlenet_rcnn.eval.results import check_unknown

    if first is not None and first < 1:
        raise UsageError("FLAG_VALUE", "--first is at least 1")
    if report is not None and (report / "metrics.json").exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{report} holds a report: choose another --report or say --overwrite")
    dataset: Dataset = read_dataset(data, split)
    if first is not None:
        dataset = Dataset(dataset.labels, dataset.samples[:first])
    content = read_proposals(proposals)
    known = {sample.image_id for sample in dataset.samples}
    unknown = [image_id for image_id in (*content.proposals, *content.failed) if image_id not in known]
    check_unknown(proposals, unknown, ignore_unknown or first is not None)
    measured = proposal_recall(dataset, content.proposals)
    failed = sum(image_id in known for image_id in content.failed)
    figures = proposal_metrics(measured, dataset.labels, failed)
    for what, count in (("missing from the file", figures["missing"]), ("failed in proposing", failed)):
        if count:
            print(f"note: {count} of {len(dataset.samples)} images are {what}; they count as empty", file=sys.stderr)
    if sys.stdout.isatty() or report is not None:
        print(proposal_table(figures))
    if report is None:
        if not sys.stdout.isatty():
            print(json.dumps(figures, indent=2))
        return Exit.OK
    from googlenet_rcnn.eval.proposal_plots import draw_proposal_plots

    try:
        report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, report) from error
    draw_proposal_plots(measured, report)
    # Last, for a report counts as there once its figures are.
    write_json(report / "metrics.json", figures)
    return Exit.OK
