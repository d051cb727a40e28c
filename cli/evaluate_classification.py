"""`evaluate classification`: a folder for each class and classifiers in, top-1 and top-5 accuracy out."""

import json
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest, write_json
from googlenet_rcnn.core.types import LabelSet

from .boundary import one_line
from .classify import check_crops
from .inputs import ImageFile
from .progress import Progress
from .report_folder import check_report_folder
from .rows import exit_status

if TYPE_CHECKING:
    from .classification_rows import ClassificationRows

__all__ = ["ClassificationOptions", "run_evaluate_classification"]

_RANKED = 5


@dataclass(frozen=True)
class ClassificationOptions:
    """Everything `evaluate classification` can be told; the first block decides what a row holds."""

    weights: tuple[str, ...]
    crops: int
    max_pool: bool
    truncated: str
    max_pixels: int

    data: Path
    split: str | None = None
    first: int | None = None
    report: Path | None = None
    overwrite: bool = False
    quiet: bool = False
    threads: int | None = None
    runtime: str = "auto"


def run_evaluate_classification(options: ClassificationOptions) -> int:
    """Classifies every image, prints the table, writes predictions.jsonl and metrics.json, and returns the status.

    A run that was stopped goes on where it was if its settings are repeated.
    """
    from googlenet_rcnn.api.weights_files import find_classifiers

    _check(options)
    paths = find_classifiers(options.weights)
    files, truth, labels = _images(options, paths)
    maker = _rows(options, paths)
    with ExitStack() as stack:
        rows: list[dict[str, Any]] = []
        ledger = None
        if options.report is not None:
            from .ledger import Ledger

            settings = asdict(options) | {"weights": [digest(path) for path in paths], "files": files, "truth": truth}
            settings["runtime"] = maker.classifier.runtimes  # each rounds in its own way
            for key in ("report", "overwrite", "quiet", "threads", "data", "split", "first"):
                del settings[key]
            ledger = stack.enter_context(Ledger(options.report / "predictions.jsonl", settings, options.overwrite))
            rows += ledger.read()
            if rows and not options.quiet:
                print(f"continuing after {len(rows)} images", file=sys.stderr)
        done = len(rows)
        progress = Progress(len(files) - done, "image", options.quiet)
        made = stack.enter_context(closing(maker.make(files[done:])))
        for count, (one, label) in enumerate(zip(made, truth[done:], strict=True), start=1):
            row = one.row | {"label": labels.names[label]}
            if row["status"] == "failed":
                progress.say(one_line(f"error: {row['code']}: {row['message']}"))
            if ledger is not None:
                ledger.append(row)
            rows.append(row)
            progress.update(count)
        metrics = _metrics(rows, labels, options, len(paths))
        if ledger is not None:
            assert options.report is not None
            # Before the rows get their name: a run stopped in between is continued and writes both again.
            write_json(options.report / "metrics.json", metrics)
            ledger.finish()
    _show(metrics, options)
    return exit_status([row["status"] for row in rows])


def _check(options: ClassificationOptions) -> None:
    check_crops(options.crops)
    if options.truncated not in ("fail", "salvage"):
        raise UsageError("FLAG_VALUE", "--truncated: known are fail, salvage")
    if any(value is not None and value < 1 for value in (options.first, options.threads, options.max_pixels)):
        raise UsageError("FLAG_VALUE", "--first, --threads and --max-pixels are at least 1")
    if options.report is not None:
        predictions = options.report / "predictions.jsonl"
        begun = predictions.with_name("predictions.jsonl.part").exists()
        if not options.overwrite:
            from .ledger import refuse_finished

            refuse_finished(predictions, "--report")
        check_report_folder(options.report, options.data, options.overwrite or begun)


def _images(options: ClassificationOptions, weights: list[Path]) -> tuple[list[ImageFile], list[int], LabelSet]:
    """The images to classify, their labels, and the labels' names."""
    from googlenet_rcnn.backbone.checkpoint import read_card
    from googlenet_rcnn.datasets.imagefolder import read_image_folder

    labels = read_card(weights[0]).label_set
    folder = read_image_folder(options.data, labels, options.split)
    for finding in () if options.quiet else folder.findings:
        print(one_line(f"note: {finding}"), file=sys.stderr)
    root = options.data / (options.split or "")
    files = [ImageFile(path.relative_to(root).with_suffix("").as_posix(), str(path)) for path in folder.paths]
    return files[: options.first], folder.truth[: options.first].tolist(), labels


def _rows(options: ClassificationOptions, weights: list[Path]) -> "ClassificationRows":
    """What makes the rows."""
    from googlenet_rcnn.api.runtime import Runtime
    from googlenet_rcnn.backbone.classifier import Classifier
    from googlenet_rcnn.core.images import ImagePolicy

    from .classification_rows import ClassificationRows

    def say(message: str) -> None:
        if not options.quiet:
            print(one_line(message), file=sys.stderr)

    runtime = Runtime(options.runtime, options.threads, say)
    classifier = Classifier.load(weights, runtime.name, runtime.processors, say)
    policy = ImagePolicy(
        max_pixels=options.max_pixels, truncated="salvage" if options.truncated == "salvage" else "fail"
    )
    return ClassificationRows(classifier, policy, options.crops, options.max_pool, _RANKED)


def _metrics(
    rows: list[dict[str, Any]], labels: LabelSet, options: ClassificationOptions, models: int
) -> dict[str, Any]:
    """The content of metrics.json; images that could not be read are counted apart."""
    import numpy as np

    from googlenet_rcnn.eval.topk_report import classification_metrics

    index = {name: label for label, name in enumerate(labels.names)}
    good = [row for row in rows if row["status"] == "ok"]
    ranked = np.array([[index[one["label"]] for one in row["top"]] for row in good], dtype=np.int64)
    ranked = ranked.reshape(len(good), min(_RANKED, len(labels)))
    truth = np.array([index[row["label"]] for row in good], dtype=np.int64)
    scored = classification_metrics(ranked, truth, labels)
    times = [row["ms"] for row in good]
    return {
        "images": scored.pop("images"),
        "failed": len(rows) - len(good),
        "crops": options.crops,
        "models": models,
        "pool": "max" if options.max_pool else "mean",
        **scored,
        "ms": {stage: round(sum(one[stage] for one in times) / len(times), 2) for stage in (times[0] if times else ())},
    }


def _show(metrics: dict[str, Any], options: ClassificationOptions) -> None:
    from googlenet_rcnn.eval.topk_report import classification_table

    if metrics["failed"]:
        print(f"note: {metrics['failed']} images could not be read; they are left out", file=sys.stderr)
    if sys.stdout.isatty() or options.report is not None:
        print(classification_table(metrics))
    else:
        print(json.dumps(metrics, indent=2))
