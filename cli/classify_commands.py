"""Flags of `classify`; everything heavy is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["classify"]


def classify(
    images: Annotated[list[str] | None, typer.Argument(help="more images", show_default=False)] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="file, folder, glob, list.txt, or - for a list on stdin; repeat as you like"),
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option(help="shipped name or file; repeat for an ensemble [default: voc20]")
    ] = None,
    crops: Annotated[int, typer.Option(help="views of each image that are averaged: 1, 10 or 144")] = 1,
    max_pool: Annotated[bool, typer.Option("--max-pool", help="best view of each class instead of the mean")] = False,
    top: Annotated[int, typer.Option(help="classes told of an image, the likeliest first")] = 5,
    out: Annotated[Path | None, typer.Option(help="file of JSON lines")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an output that exists")] = False,
    on_error: Annotated[str, typer.Option(help="an unreadable image: skip it or fail")] = "skip",
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    exif: Annotated[bool, typer.Option(help="turn images as their EXIF orientation says")] = True,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    workers: Annotated[int | None, typer.Option(help="images decoded at a time [default: as threads]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Name what whole images show: a table on the terminal, JSON lines when piped, or a file with --out."""

    def command() -> int:
        from .classify import ClassifyOptions, run_classify

        return run_classify(
            ClassifyOptions(
                weights=tuple(weights or ()), crops=crops, max_pool=max_pool, top=top, truncated=truncated,
                max_pixels=max_pixels, exif=exif, runtime=runtime, images=(*(image or ()), *(images or ())), out=out,
                overwrite=overwrite, on_error=on_error, quiet=quiet, threads=threads, workers=workers,
            )
        )  # fmt: skip

    run_command(command)
