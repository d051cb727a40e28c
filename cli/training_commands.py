"""Flags of the training commands; everything heavy is imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from googlenet_rcnn.backbone.resuming import Resume

from .boundary import run_command

__all__ = ["train_classifier", "train_detector", "train_multibox", "train_screen", "train_svm"]

ForceResume = Annotated[bool, typer.Option("--force-resume", help="continue it with other settings or data")]
Nan = Annotated[
    str | None, typer.Option(help="where a loss is no number: stop, or rollback and halve the rate [default: stop]")
]


def train_classifier(
    data: Annotated[Path, typer.Option(help="images in a folder for each class, below a folder for each split")],
    out: Annotated[Path, typer.Option(help="run folder")],
    split: Annotated[str | None, typer.Option(help="split to train on [default: train, if there is one]")] = None,
    validate: Annotated[str | None, typer.Option(help="split to measure on [default: val, if there is one]")] = None,
    init: Annotated[str | None, typer.Option(help="network to start from: a file [default: from scratch]")] = None,
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: the paper's]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    on_error: Annotated[str, typer.Option(help="images that cannot be read: fail, or skip them")] = "fail",
    resume: Annotated[bool, typer.Option("--resume", help="continue the run in --out")] = False,
    force_resume: ForceResume = False,
    nan: Nan = None,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Train a classifier of whole images as in the paper, alone or under torchrun."""

    def command() -> int:
        from .train.classifier import run_train_classifier

        return run_train_classifier(
            data, out,
            split=split, validate=validate, init=init, recipe=recipe, assignments=tuple(set_ or ()),
            on_error=on_error, resume=Resume.asked(resume, force_resume), nan=nan, threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


def train_detector(
    data: Annotated[
        Path, typer.Option(help="annotated images: VOC, ILSVRC DET, COCO, YOLO, or an export of CVAT or Label Studio")
    ],
    out: Annotated[Path, typer.Option(help="run folder")],
    init: Annotated[str, typer.Option(help="network to start from: shipped name or file")] = "voc07",
    split: Annotated[
        str | None, typer.Option(help="split to train on [default: train, validated on val; or the one that is there]")
    ] = None,
    holdout: Annotated[
        float | None,
        typer.Option(
            help="share of the images kept from training to validate on; 0: none, all train "
            "[default: 0.2 where no --split is given and there is no val, else 0]"
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="time to fit everything into: 90s, 15m, 2h [default: as the recipe says]")
    ] = None,
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for activations, some GB [default: user cache]")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="continue the run in --out, by its own recipe if none is given")
    ] = False,
    force_resume: ForceResume = False,
    nan: Nan = None,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Train a detector for your own classes, starting from one that is there, alone or under torchrun."""

    def command() -> int:
        from .train.detector import run_train_detector

        return run_train_detector(
            data, split, out,
            init=init, holdout=holdout, budget=budget, recipe=recipe, assignments=tuple(set_ or ()), cache=cache,
            resume=Resume.asked(resume, force_resume), nan=nan, threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


def train_multibox(
    data: Annotated[Path, typer.Option(help="annotated images: VOC, ILSVRC DET, COCO or YOLO")],
    out: Annotated[Path, typer.Option(help="run folder")],
    trunk: Annotated[str, typer.Option(help="network it looks through, up to 4e: shipped name or file")] = "voc07",
    split: Annotated[str, typer.Option(help="split to train on")] = "trainval",
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for maps, 2.7 MB an image [default: user cache]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue the run in --out")] = False,
    force_resume: ForceResume = False,
    nan: Nan = None,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Train MultiBox, which proposes boxes for objects of any class, alone or under torchrun."""

    def command() -> int:
        from .train.multibox import run_train_multibox

        return run_train_multibox(
            data, split, out,
            trunk=trunk, recipe=recipe, assignments=tuple(set_ or ()), cache=cache,
            resume=Resume.asked(resume, force_resume), nan=nan, threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


def train_screen(
    data: Annotated[Path, typer.Option(help="annotated images: VOC, ILSVRC DET, COCO or YOLO")],
    out: Annotated[Path, typer.Option(help="run folder")],
    weights: Annotated[str, typer.Option(help="detector that is to screen: shipped name or file")] = "voc07",
    split: Annotated[str, typer.Option(help="split to train on")] = "trainval",
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for maps, 1.3 MB an image [default: user cache]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue the run in --out")] = False,
    force_resume: ForceResume = False,
    nan: Nan = None,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Give a detector a new screening head, by which fast mode chooses what it looks at, alone or under torchrun."""

    def command() -> int:
        from .train.screen import run_train_screen

        return run_train_screen(
            data, split, out,
            weights=weights, recipe=recipe, assignments=tuple(set_ or ()), cache=cache,
            resume=Resume.asked(resume, force_resume), nan=nan, threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


def train_svm(
    data: Annotated[Path, typer.Option(help="annotated images: VOC, ILSVRC DET, COCO or YOLO")],
    out: Annotated[Path, typer.Option(help="checkpoint to write")],
    weights: Annotated[str, typer.Option(help="detector whose features are scored: shipped name or file")] = "voc07",
    split: Annotated[str, typer.Option(help="split to train on")] = "trainval",
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for features, 0.1 MB an image [default: user's]")] = None,
    runtime: Annotated[str, typer.Option(help="what runs the network, as for detect")] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a checkpoint that exists")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Score with linear SVMs, as R-CNN did, in the place of a detector's softmax classifier."""

    def command() -> int:
        from .train.svm import run_train_svm

        return run_train_svm(
            data, split, out,
            weights=weights, recipe=recipe, assignments=tuple(set_ or ()), cache=cache, runtime=runtime,
            threads=threads, overwrite=overwrite, quiet=quiet,
        )  # fmt: skip

    run_command(command)
