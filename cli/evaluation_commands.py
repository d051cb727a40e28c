"""Flags of `evaluate`; everything heavy is imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["evaluate_classification", "evaluate_compare", "evaluate_detections", "evaluate_proposals"]


def evaluate_detections(
    data: Annotated[Path, typer.Option(help="folder of annotated images, or a COCO json file")],
    split: Annotated[str, typer.Option(help="train, val, trainval, test, val2 ...")],
    detections: Annotated[Path, typer.Option(help="result file, or a folder of VOC comp4 files")],
    rule: Annotated[str, typer.Option(help="voc07 (11 points), voc10 (area), ilsvrc or coco")] = "voc07",
    first: Annotated[int | None, typer.Option(help="only the first N images of the split")] = None,
    bootstrap: Annotated[int, typer.Option(help="rounds of resampling for an interval of the mean; 0: none")] = 0,
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="skip images not in the split")] = False,
    similar: Annotated[
        list[str] | None, typer.Option(help="classes that are alike, as cat,dog; once for each group [default: VOC's]")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="folder for metrics.json and report.html")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that exists")] = False,
    seed: Annotated[int, typer.Option(help="of the resampling")] = 0,
) -> None:
    """Average precision of each class and their mean; with --report also why it is not higher."""

    def command() -> int:
        from .evaluate import run_evaluate_detections

        return run_evaluate_detections(
            data, split, rule, detections,
            first=first, bootstrap=bootstrap, ignore_unknown=ignore_unknown, similar=similar or (), report=report,
            overwrite=overwrite, seed=seed,
        )  # fmt: skip

    run_command(command)


def evaluate_compare(
    a: Annotated[Path, typer.Argument(help="result file, or a folder of VOC comp4 files")],
    b: Annotated[Path, typer.Argument(help="another one of the same images")],
    data: Annotated[Path, typer.Option(help="folder of annotated images")],
    split: Annotated[str, typer.Option(help="train, val, trainval, test, val2 ...")],
    rule: Annotated[str, typer.Option(help="voc07 (11 points), voc10 (area) or ilsvrc")] = "voc07",
    first: Annotated[int | None, typer.Option(help="only the first N images of the split")] = None,
    rounds: Annotated[int, typer.Option(help="times that the images are resampled")] = 1000,
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="skip images not in the split")] = False,
    seed: Annotated[int, typer.Option(help="of the resampling")] = 0,
) -> None:
    """Whether B is really better than A: the difference of their mean AP on the same resampled images."""

    def command() -> int:
        from .compare import run_compare

        return run_compare(
            a, b, data, split, rule, first=first, rounds=rounds, ignore_unknown=ignore_unknown, seed=seed
        )  # fmt: skip

    run_command(command)


def evaluate_proposals(
    data: Annotated[Path, typer.Option(help="annotated images: VOC, ILSVRC DET, COCO or YOLO")],
    split: Annotated[str, typer.Option(help="train, val, trainval or test")],
    proposals: Annotated[Path, typer.Option(help="JSON lines or npz of propose")],
    first: Annotated[int | None, typer.Option(help="only the first N images of the split")] = None,
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="skip images not in the split")] = False,
    report: Annotated[Path | None, typer.Option(help="folder for metrics.json and plots")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that exists")] = False,
) -> None:
    """Recall, average recall and best overlap of proposed boxes, for each source and all together."""

    def command() -> int:
        from .evaluate_proposals import run_evaluate_proposals

        return run_evaluate_proposals(
            data, split, proposals,
            first=first, ignore_unknown=ignore_unknown, report=report, overwrite=overwrite,
        )  # fmt: skip

    run_command(command)


def evaluate_classification(
    data: Annotated[Path, typer.Option(help="folder with a folder of images for each class")],
    weights: Annotated[
        list[str] | None, typer.Option(help="shipped name or file; repeat for an ensemble [default: voc20]")
    ] = None,
    split: Annotated[str | None, typer.Option(help="folder below --data that holds the class folders")] = None,
    crops: Annotated[int, typer.Option(help="views of each image: 1, 10 or 144")] = 1,
    max_pool: Annotated[bool, typer.Option("--max-pool", help="best crop of each class instead of the mean")] = False,
    first: Annotated[int | None, typer.Option(help="only the first N images")] = None,
    report: Annotated[Path | None, typer.Option(help="folder for metrics.json and predictions.jsonl")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that exists")] = False,
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Top-1 and top-5 accuracy of one classifier or several together."""

    def command() -> int:
        from .evaluate_classification import ClassificationOptions, run_evaluate_classification

        return run_evaluate_classification(
            ClassificationOptions(
                weights=tuple(weights or ()), crops=crops, max_pool=max_pool, truncated=truncated,
                max_pixels=max_pixels, data=data, split=split, first=first, report=report, overwrite=overwrite,
                quiet=quiet, threads=threads, runtime=runtime,
            )
        )  # fmt: skip

    run_command(command)
