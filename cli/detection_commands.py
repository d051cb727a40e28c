"""Flags of `detect` and `propose`; everything heavy is imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["detect", "propose"]


def detect(
    images: Annotated[list[str] | None, typer.Argument(help="more images", show_default=False)] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="file, folder, glob, list.txt, or - for a list on stdin; repeat as you like"),
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option(help="shipped name or file; repeat for an ensemble [default: voc07]")
    ] = None,
    method: Annotated[str, typer.Option(help="ss, multibox, multibox+ss, or a proposals file")] = "ss",
    engine: Annotated[str, typer.Option(help="Selective Search by native, opencv or selectivesearch")] = "native",
    preset: Annotated[str, typer.Option(help="single, fast or quality")] = "fast",
    superpixel_scale: Annotated[float, typer.Option(help="2: superpixels doubled, half the proposals")] = 2.0,
    multibox_weights: Annotated[str, typer.Option(help="shipped name or file")] = "multibox-voc07",
    multibox_k: Annotated[int, typer.Option(help="boxes of MultiBox in an image")] = 200,
    multibox_nms: Annotated[
        float | None, typer.Option(help="MultiBox boxes that overlap a better one more are left out [default: none]")
    ] = None,
    score_threshold: Annotated[
        float | None, typer.Option(help="least score of a detection, 0 to 1 [default: as the weights say, or 0.5]")
    ] = None,
    nms_iou: Annotated[float, typer.Option(help="boxes of a class that overlap more are one object")] = 0.3,
    box_regression: Annotated[bool, typer.Option(help="move each box to where its class says that it lies")] = True,
    box_voting: Annotated[
        float, typer.Option(help="boxes that overlap a detection this much have a say in where it lies; 1: none")
    ] = 0.5,
    max_detections: Annotated[int, typer.Option(help="most detections of a class in an image")] = 100,
    mode: Annotated[str, typer.Option(help="fast: score what looks promising; exhaustive: every proposal")] = "fast",
    flip: Annotated[bool, typer.Option("--flip", help="score every crop in a mirror too: twice the time")] = False,
    screen_vote: Annotated[
        float | None,
        typer.Option(help="share of the look at the whole image in a score; 0: crops alone [default: as the weights]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="file, or folder for voc and yolo")] = None,
    format: Annotated[str, typer.Option(help="jsonl, voc, coco, ilsvrc, yolo, csv or parquet")] = "jsonl",
    numbers: Annotated[
        Path | None, typer.Option(help="for ilsvrc: val.txt, test.txt or a part of it [default: places in the input]")
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="folder for pictures with boxes")] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML file: one page with images, boxes, proposals, times")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an output that exists")] = False,
    on_error: Annotated[str, typer.Option(help="an unreadable image: skip it or fail")] = "skip",
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    exif: Annotated[bool, typer.Option(help="turn images as their EXIF orientation says")] = True,
    seed: Annotated[int, typer.Option(help="of the proposals' ranking")] = 0,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    workers: Annotated[int | None, typer.Option(help="images prepared at a time [default: as threads]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Find objects in images: a table on the terminal, JSON lines when piped, or files with --out."""

    def command() -> int:
        from .detect import DetectOptions, run_detect

        return run_detect(
            DetectOptions(
                weights=tuple(weights or ()),
                method=method,
                engine=engine,
                preset=preset,
                superpixel_scale=superpixel_scale,
                score_threshold=score_threshold,
                nms_iou=nms_iou,
                max_detections=max_detections,
                mode=mode,
                screen_vote=screen_vote,
                box_regression=box_regression,
                box_voting=box_voting,
                flip=flip,
                seed=seed,
                truncated=truncated,
                max_pixels=max_pixels,
                exif=exif,
                runtime=runtime,
                multibox_weights=multibox_weights,
                multibox_k=multibox_k,
                multibox_nms=multibox_nms,
                images=(*(image or ()), *(images or ())),
                out=out,
                format=format,
                numbers=numbers,
                draw=draw,
                report=report,
                overwrite=overwrite,
                on_error=on_error,
                quiet=quiet,
                threads=threads,
                workers=workers,
            )
        )

    run_command(command)


def propose(
    images: Annotated[list[str] | None, typer.Argument(help="more images", show_default=False)] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="file, folder, glob, list.txt, or - for a list on stdin; repeat as you like"),
    ] = None,
    method: Annotated[str, typer.Option(help="ss, multibox, multibox+ss, priors, or a proposals file")] = "ss",
    engine: Annotated[str, typer.Option(help="Selective Search by native, opencv or selectivesearch")] = "native",
    preset: Annotated[str, typer.Option(help="single, fast or quality")] = "fast",
    superpixel_scale: Annotated[
        float | None, typer.Option(help="2: superpixels doubled [default: 1, and 2 in multibox+ss]")
    ] = None,
    multibox_weights: Annotated[str, typer.Option(help="shipped name or file")] = "multibox-voc07",
    multibox_k: Annotated[int, typer.Option(help="boxes of MultiBox in an image")] = 200,
    multibox_nms: Annotated[
        float | None, typer.Option(help="MultiBox boxes that overlap a better one more are left out [default: none]")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="most boxes in an image [default: all]")] = None,
    out: Annotated[Path | None, typer.Option(help="file to write")] = None,
    format: Annotated[str, typer.Option(help="jsonl or npz")] = "jsonl",
    draw: Annotated[Path | None, typer.Option(help="folder for pictures of boxes, segmentation and grouping")] = None,
    draw_top: Annotated[int, typer.Option(help="boxes of each source in a picture")] = 30,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an output that exists")] = False,
    on_error: Annotated[str, typer.Option(help="an unreadable image: skip it or fail")] = "skip",
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    exif: Annotated[bool, typer.Option(help="turn images as their EXIF orientation says")] = True,
    seed: Annotated[int, typer.Option(help="of the ranking")] = 0,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    workers: Annotated[int | None, typer.Option(help="images at a time [default: one for each thread]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Propose boxes that may hold objects: a table on the terminal, JSON lines when piped, or a file with --out."""

    def command() -> int:
        from .propose import ProposeOptions, run_propose

        return run_propose(
            ProposeOptions(
                method=method, engine=engine, preset=preset, superpixel_scale=superpixel_scale,
                multibox_weights=multibox_weights, multibox_k=multibox_k, multibox_nms=multibox_nms, limit=limit,
                seed=seed, truncated=truncated, max_pixels=max_pixels, exif=exif,
                images=(*(image or ()), *(images or ())), out=out, format=format, draw=draw, draw_top=draw_top,
                overwrite=overwrite, on_error=on_error, quiet=quiet, threads=threads, workers=workers,
                runtime=runtime,
            )
        )  # fmt: skip

    run_command(command)
