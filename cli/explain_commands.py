"""Flags of `explain`; everything heavy is imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["explain"]


def explain(
    image: Annotated[str, typer.Option(help="one image file")],
    data: Annotated[Path | None, typer.Option(help="data set that has the image")] = None,
    split: Annotated[str | None, typer.Option(help="train, val, trainval or test")] = None,
    truth: Annotated[Path | None, typer.Option(help="VOC annotation (.xml) of the image, instead of --data")] = None,
    weights: Annotated[
        list[str] | None, typer.Option(help="shipped name or file; repeat for an ensemble [default: voc07]")
    ] = None,
    method: Annotated[str, typer.Option(help="ss, multibox, multibox+ss, or a proposals file")] = "ss",
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
    max_detections: Annotated[int, typer.Option(help="most detections of a class in the image")] = 100,
    mode: Annotated[str, typer.Option(help="fast: score what looks promising; exhaustive: every proposal")] = "fast",
    flip: Annotated[bool, typer.Option("--flip", help="score every crop in a mirror too: twice the time")] = False,
    screen_vote: Annotated[
        float | None,
        typer.Option(help="share of the look at the whole image in a score; 0: crops alone [default: as the weights]"),
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="picture to write (.jpg)")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a picture that exists")] = False,
    seed: Annotated[int, typer.Option(help="of the proposals' ranking")] = 0,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
) -> None:
    """Tell what became of each object of an annotated image: found, or where it was lost, and to what."""

    def command() -> int:
        from .explain import ExplainOptions, run_explain

        return run_explain(
            ExplainOptions(
                image=image, data=data, split=split, truth=truth, weights=tuple(weights or ()), method=method,
                superpixel_scale=superpixel_scale, score_threshold=score_threshold, nms_iou=nms_iou,
                max_detections=max_detections, mode=mode, screen_vote=screen_vote, box_regression=box_regression,
                box_voting=box_voting, flip=flip, seed=seed, draw=draw, overwrite=overwrite,
                threads=threads, runtime=runtime, multibox_weights=multibox_weights, multibox_k=multibox_k,
                multibox_nms=multibox_nms,
            )
        )  # fmt: skip

    run_command(command)
