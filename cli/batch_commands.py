"""Flags of `batch`; everything heavy is imported when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["batch"]


def batch(
    out: Annotated[Path, typer.Option(help="folder for the Parquet parts")],
    images: Annotated[list[str] | None, typer.Argument(help="more images", show_default=False)] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="file, folder, glob, list.txt, - for stdin, or table.parquet; repeat as you like"),
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
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    exif: Annotated[bool, typer.Option(help="turn images as their EXIF orientation says")] = True,
    seed: Annotated[int, typer.Option(help="of the proposals' ranking")] = 0,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    part_size: Annotated[int, typer.Option(help="images in a part; what a crash costs each worker at most")] = 200,
    workers: Annotated[
        int | None, typer.Option(help="processes that detect [default: as many as fit on this machine]")
    ] = None,
    cpus_per_worker: Annotated[int, typer.Option(help="processor threads of each")] = 2,
    gpus_per_worker: Annotated[float, typer.Option(help="GPUs, or the share of one, of each")] = 0.0,
    address: Annotated[
        str | None, typer.Option(help="of a Ray cluster: auto or HOST:PORT [default: no cluster]")
    ] = None,
    object_store_mb: Annotated[int, typer.Option(help="shared memory that Ray may take on this machine")] = 128,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an output that exists")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Find objects in very many images: a folder of Parquet tables, which a second run completes after any stop."""

    def command() -> int:
        from googlenet_rcnn.core.errors import UsageError
        from googlenet_rcnn.core.threads import available_threads

        from .batch.on_ray import Cluster
        from .batch.run import BatchOptions, run_batch
        from .detect import DetectOptions

        threads = min(cpus_per_worker, available_threads()) if address is None else cpus_per_worker
        fitting = max(1, available_threads() // max(threads, 1))
        if workers is None and address is not None:
            raise UsageError("WORKERS_MISSING", "--address needs --workers: how many the cluster has room for")
        return run_batch(
            BatchOptions(
                detect=DetectOptions(
                    weights=tuple(weights or ()), method=method, engine=engine, preset=preset,
                    superpixel_scale=superpixel_scale, score_threshold=score_threshold, nms_iou=nms_iou,
                    max_detections=max_detections, mode=mode, screen_vote=screen_vote, box_regression=box_regression,
                    box_voting=box_voting, flip=flip, seed=seed, truncated=truncated,
                    max_pixels=max_pixels, exif=exif, runtime=runtime, multibox_weights=multibox_weights,
                    multibox_k=multibox_k, multibox_nms=multibox_nms, images=(*(image or ()), *(images or ())),
                    overwrite=overwrite, quiet=quiet, threads=threads,
                ),
                out=out,
                cluster=Cluster(
                    workers=fitting if workers is None else workers, cpus=threads, gpus=gpus_per_worker,
                    address=address, object_store_mb=object_store_mb,
                ),
                part_size=part_size,
            )
        )  # fmt: skip

    run_command(command)
