"""Flags of `evaluate`; everything heavy is imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["evaluate_detections", "evaluate_proposals"]


def evaluate_detections(
    data: Annotated[Path, typer.Option(help="VOC devkit folder")],
    split: Annotated[str, typer.Option(help="train, val, trainval or test")],
    detections: Annotated[Path, typer.Option(help="JSON lines of detect, or a folder of VOC comp4 files")],
    rule: Annotated[str, typer.Option(help="voc07 (11 points) or voc10 (area)")] = "voc07",
    first: Annotated[int | None, typer.Option(help="only the first N images of the split")] = None,
    bootstrap: Annotated[int, typer.Option(help="rounds of resampling for an interval of the mean; 0: none")] = 0,
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="skip images not in the split")] = False,
    report: Annotated[Path | None, typer.Option(help="folder for metrics.json")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that exists")] = False,
    seed: Annotated[int, typer.Option(help="of the resampling")] = 0,
) -> None:
    """Average precision of each class and their mean."""

    def command() -> int:
        from .evaluate import run_evaluate_detections

        return run_evaluate_detections(
            data, split, rule, detections,
            first=first, bootstrap=bootstrap, ignore_unknown=ignore_unknown, report=report, overwrite=overwrite,
            seed=seed,
        )  # fmt: skip

    run_command(command)


def evaluate_proposals(
    data: Annotated[Path, typer.Option(help="VOC devkit folder")],
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
