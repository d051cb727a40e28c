"""Flags of the commands around models; everything heavy is imported when a command runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["export", "import_weights", "measure_ranges"]


def import_weights(
    source: Annotated[
        str,
        typer.Argument(
            help="Caffe GoogLeNet (safetensors), torchvision's (.pth), or torchvision: it downloads its own"
        ),
    ],
    out: Annotated[Path, typer.Option(help="checkpoint to write")],
    labels: Annotated[str, typer.Option(help="label list: a shipped name or a file, one a line")] = "imagenet1k",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a checkpoint that exists")] = False,
) -> None:
    """Bring weights of others into this project's format, with a card."""

    def command() -> None:
        from googlenet_rcnn.backbone.importing import import_weights as bring_in
        from googlenet_rcnn.core.errors import UsageError
        from googlenet_rcnn.datasets.label_list import load_labels

        if out.exists() and not overwrite:
            raise UsageError("OUT_EXISTS", f"{out} is there already: choose another --out or say --overwrite")
        path = Path(labels)
        names = load_labels(path if path.suffix else labels).names
        card = bring_in("torchvision" if source == "torchvision" else Path(source), out, names)
        heads = "with" if card.heads else "without"
        print(f"wrote {out}: {card.arch}, {len(names)} classes, {heads} auxiliary heads", file=sys.stderr)

    run_command(command)


def export(
    out: Annotated[Path, typer.Option(help="ONNX file to write")],
    weights: Annotated[str, typer.Option(help="a shipped model by name, or a checkpoint")] = "voc07",
    part: Annotated[
        str, typer.Option(help="scores (logits, then box offsets), features (1,024) or trunk (the map of 4e)")
    ] = "scores",
    side: Annotated[str, typer.Option(help="pixels of the input: a side, or HEIGHTxWIDTH for the trunk")] = "224",
    int8: Annotated[
        bool, typer.Option("--int8", help="with nodes that quantise to bytes, from the card's ranges")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a file that exists")] = False,
) -> None:
    """Write a model as ONNX: uint8 RGB pixels [N,H,W,3] in, numbers out, preprocessing inside."""

    def command() -> None:
        from .export import run_export

        run_export(weights, out, part=part, side=side, quantised=int8, overwrite=overwrite)

    run_command(command)


def measure_ranges(
    weights: Annotated[str, typer.Argument(help="a shipped model by name, or a checkpoint")],
    image: Annotated[list[str], typer.Option(help="file, folder, list (.txt) of images like those to be seen in use")],
    out: Annotated[Path, typer.Option(help="checkpoint to write")],
    limit: Annotated[int, typer.Option(min=1, help="images to look at, spread evenly")] = 32,
    seed: Annotated[int, typer.Option(help="decides which windows are looked at")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="threads; default: all that may be used")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a checkpoint that exists")] = False,
) -> None:
    """Add to a model what int8 engines need: the largest activation of each layer, measured on images."""

    def command() -> None:
        from .measure_ranges import run_measure_ranges

        run_measure_ranges(weights, image, out, limit=limit, seed=seed, threads=threads, overwrite=overwrite)

    run_command(command)
