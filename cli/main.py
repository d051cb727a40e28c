"""The commands and their flags; everything heavy is imported when a command runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["detect", "evaluate", "main", "propose", "train_detector", "train_multibox"]

_HELP = "GoogLeNet, Selective Search and R-CNN: find and name the objects in photographs."
_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=True, context_settings=_SETTINGS)
evaluate_app = typer.Typer(help="Score results against annotations.", no_args_is_help=True)
app.add_typer(evaluate_app, name="evaluate")


@app.command("detect")
def _detect(
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
    score_threshold: Annotated[float, typer.Option(help="least score of a detection, 0 to 1")] = 0.5,
    nms_iou: Annotated[float, typer.Option(help="boxes of a class that overlap more are one object")] = 0.3,
    max_detections: Annotated[int, typer.Option(help="most detections of a class in an image")] = 100,
    mode: Annotated[str, typer.Option(help="fast: score what looks promising; exhaustive: every proposal")] = "fast",
    out: Annotated[Path | None, typer.Option(help="file (jsonl) or folder (voc)")] = None,
    format: Annotated[str, typer.Option(help="jsonl or voc")] = "jsonl",
    draw: Annotated[Path | None, typer.Option(help="folder for pictures with boxes")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an output that exists")] = False,
    on_error: Annotated[str, typer.Option(help="an unreadable image: skip it or fail")] = "skip",
    truncated: Annotated[str, typer.Option(help="a cut image file: fail or salvage")] = "fail",
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels")] = 89_400_000,
    exif: Annotated[bool, typer.Option(help="turn images as their EXIF orientation says")] = True,
    seed: Annotated[int, typer.Option(help="of the proposals' ranking")] = 0,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
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
                seed=seed,
                truncated=truncated,
                max_pixels=max_pixels,
                exif=exif,
                images=(*(image or ()), *(images or ())),
                out=out,
                format=format,
                draw=draw,
                overwrite=overwrite,
                on_error=on_error,
                quiet=quiet,
                threads=threads,
            )
        )

    run_command(command)


@app.command("propose")
def _propose(
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
            )
        )  # fmt: skip

    run_command(command)


@evaluate_app.command("detections")
def _evaluate_detections(
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


@evaluate_app.command("proposals")
def _evaluate_proposals(
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


@app.command("train-detector")
def _train_detector(
    data: Annotated[Path, typer.Option(help="VOC devkit folder")],
    init: Annotated[Path, typer.Option(help="checkpoint to start from (see import-weights)")],
    out: Annotated[Path, typer.Option(help="run folder")],
    split: Annotated[str, typer.Option(help="split to train on")] = "trainval",
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for activations, some GB [default: user cache]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue the run in --out")] = False,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Fine-tune a pretrained GoogLeNet into a detector, alone or under torchrun."""

    def command() -> int:
        from .train_detector import run_train_detector

        return run_train_detector(
            data, split, out,
            init=init, recipe=recipe, assignments=tuple(set_ or ()), cache=cache, resume=resume,
            threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


@app.command("train-multibox")
def _train_multibox(
    data: Annotated[Path, typer.Option(help="VOC devkit folder")],
    out: Annotated[Path, typer.Option(help="run folder")],
    trunk: Annotated[str, typer.Option(help="network it looks through, up to 4e: shipped name or file")] = "voc07",
    split: Annotated[str, typer.Option(help="split to train on")] = "trainval",
    recipe: Annotated[Path | None, typer.Option(help="TOML recipe [default: built in]")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="a.b=v, on top of the recipe")] = None,
    cache: Annotated[Path | None, typer.Option(help="folder for maps, 2.7 MB an image [default: user cache]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue the run in --out")] = False,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> None:
    """Train MultiBox, which proposes boxes for objects of any class, alone or under torchrun."""

    def command() -> int:
        from .train_multibox import run_train_multibox

        return run_train_multibox(
            data, split, out,
            trunk=trunk, recipe=recipe, assignments=tuple(set_ or ()), cache=cache, resume=resume,
            threads=threads, quiet=quiet,
        )  # fmt: skip

    run_command(command)


@app.command("import-weights")
def _import_weights(
    source: Annotated[Path, typer.Argument(help="Caffe GoogLeNet (safetensors) or torchvision's (.pth)")],
    out: Annotated[Path, typer.Option(help="checkpoint to write")],
    labels: Annotated[str, typer.Option(help="label list: a shipped name or a file, one a line")] = "imagenet1k",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a checkpoint that exists")] = False,
) -> None:
    """Bring weights of others into this project's format, with a card."""

    def command() -> None:
        from googlenet_rcnn.backbone.importing import import_weights
        from googlenet_rcnn.core.errors import UsageError
        from googlenet_rcnn.datasets.label_list import load_labels

        if out.exists() and not overwrite:
            raise UsageError("OUT_EXISTS", f"{out} is there already: choose another --out or say --overwrite")
        path = Path(labels)
        names = load_labels(path if path.suffix else labels).names
        card = import_weights(source, out, names)
        heads = "with" if card.heads else "without"
        print(f"wrote {out}: {card.arch}, {len(names)} classes, {heads} auxiliary heads", file=sys.stderr)

    run_command(command)


def _single(name: str) -> Callable[[], None]:
    """A console script of its own for one subcommand."""

    def entry() -> None:
        app([name, *sys.argv[1:]], prog_name="googlenet-rcnn")

    return entry


def main() -> None:
    """`googlenet-rcnn`: every command as a subcommand."""
    app(prog_name="googlenet-rcnn")


detect = _single("detect")
evaluate = _single("evaluate")
propose = _single("propose")
train_detector = _single("train-detector")
train_multibox = _single("train-multibox")


if __name__ == "__main__":
    main()
