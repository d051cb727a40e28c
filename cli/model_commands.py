"""Flags of the commands around models; everything heavy is imported when a command runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["import_weights"]


def import_weights(
    source: Annotated[Path, typer.Argument(help="Caffe GoogLeNet (safetensors) or torchvision's (.pth)")],
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
        card = bring_in(source, out, names)
        heads = "with" if card.heads else "without"
        print(f"wrote {out}: {card.arch}, {len(names)} classes, {heads} auxiliary heads", file=sys.stderr)

    run_command(command)
