"""Flags of the commands for data sets: `check` and `convert`."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["check", "convert"]

_DATA = typer.Argument(
    help="VOC, ILSVRC DET, COCO, YOLO, an export of Label Studio (JSON) or CVAT (for images), or a folder per class"
)


def check(
    data: Annotated[Path, _DATA],
    split: Annotated[
        list[str] | None, typer.Option(help="check this split only; repeat as you like [default: all]")
    ] = None,
    no_images: Annotated[
        bool, typer.Option("--no-images", help="annotations only; no picture is missed or opened")
    ] = False,
    fix: Annotated[
        Path | None, typer.Option(help="folder for a copy with what can be mended mended (VOC, COCO, YOLO)")
    ] = None,
    images: Annotated[str, typer.Option(help="pictures of that copy: copy, link or none")] = "copy",
    everything: Annotated[bool, typer.Option("--all", help="every finding instead of three of each kind")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="warnings count as errors")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    out: Annotated[Path | None, typer.Option(help="file for the same JSON")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace outputs that exist")] = False,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Look for mistakes in a data set: files, boxes, classes, pictures, and what is in two splits."""

    def command() -> int:
        from .check import CheckOptions, run_check

        return run_check(
            CheckOptions(
                data=data, splits=tuple(split or ()), images=not no_images, as_json=as_json, out=out,
                everything=everything, strict=strict, fix=fix, placing=images, overwrite=overwrite, threads=threads,
                quiet=quiet,
            )
        )  # fmt: skip

    run_command(command)


def convert(
    data: Annotated[Path, _DATA],
    to: Annotated[str, typer.Option(help="voc, coco or yolo")],
    out: Annotated[Path, typer.Option(help="folder to write")],
    split: Annotated[list[str] | None, typer.Option(help="this split only; repeat as you like [default: all]")] = None,
    images: Annotated[str, typer.Option(help="pictures: copy, link or none")] = "copy",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace files that exist")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Write a data set in another layout, images without objects included."""

    def command() -> int:
        from .convert import run_convert

        return run_convert(data, to, out, splits=tuple(split or ()), placing=images, overwrite=overwrite, quiet=quiet)

    run_command(command)
