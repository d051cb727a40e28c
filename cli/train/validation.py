"""A new detector on images it has not seen: detected in as `detect` does, scored and explained."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from googlenet_rcnn.core.store import atomic_file, storage_error
from googlenet_rcnn.core.types import Dataset

from ..detect import DetectOptions
from ..inputs import ImageFile
from ..progress import Progress
from ..report_folder import write_report

__all__ = ["DETECTIONS", "validate"]

DETECTIONS = "detections.jsonl"
_RULE = "voc07"
_ROUNDS = 1000


def validate(
    weights: Path, dataset: Dataset, title: str, report: Path, *, threads: int | None, quiet: bool,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Detects in the images in fast mode, writes detections and their report into the folder `report`.

    Returns the table of average precision by class.
    """
    from googlenet_rcnn.eval.average_precision import average_precision
    from googlenet_rcnn.eval.bootstrap import bootstrap_map
    from googlenet_rcnn.eval.error_analysis import analyse_errors, error_summary
    from googlenet_rcnn.eval.html_report import Evaluation, html_report
    from googlenet_rcnn.eval.match_rule import RULES
    from googlenet_rcnn.eval.matching import match
    from googlenet_rcnn.eval.report import metrics, text_table
    from googlenet_rcnn.eval.results import read_results

    try:
        report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, report) from error
    _detect(weights, dataset, report / DETECTIONS, threads, quiet, say)
    rule, labels = RULES[_RULE], dataset.labels
    results = read_results(report / DETECTIONS, dataset)
    matches = match(results.table, dataset, rule)
    scored = average_precision(matches, rule)
    interval = bootstrap_map(matches, rule, rounds=_ROUNDS)
    notes = [f"{results.failed} images could not be read; they count as empty"] if results.failed else []
    for note in notes:
        say(f"note: {note}")
    errors = analyse_errors(results.table, matches, labels, rule)
    content = metrics(scored, labels, rule, len(dataset.samples), interval) | {"errors": error_summary(errors)}
    run = Evaluation(title, dataset, rule, scored, errors, interval, notes=notes)
    write_report(report, content, html_report(run))
    return text_table(scored, labels, interval)


def _detect(
    weights: Path, dataset: Dataset, path: Path, threads: int | None, quiet: bool, say: Callable[[str], None]
) -> None:
    """Writes the rows of `detect` for every image, with all detections that may count."""
    from ..detection_rows import detection_rows

    options = DetectOptions(
        weights=(str(weights),), method="ss", engine="native", preset="fast", superpixel_scale=2.0,
        score_threshold=0.01, nms_iou=0.3, max_detections=100, mode="fast", seed=0, truncated="fail",
        max_pixels=89_400_000, exif=True, threads=threads,
    )  # fmt: skip
    files = [ImageFile(sample.image_id, str(sample.path)) for sample in dataset.samples]
    progress = Progress(len(files), "validation image", quiet)
    with closing(detection_rows(options, say)(files)) as rows, atomic_file(path, "w") as stream:
        for done, made in enumerate(rows, start=1):
            stream.write(json.dumps(made.row, separators=(",", ":")) + "\n")
            progress.update(done)
