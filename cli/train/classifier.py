"""`train-classifier`: labelled images in, a classifier of whole images out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.core.errors import DataError, Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe

from ..boundary import one_line
from .run import TrainingRun, on_nan

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.labelled_images import LabelledImages

__all__ = ["run_train_classifier"]


def run_train_classifier(
    data: Path,
    out: Path,
    *,
    split: str | None = None,
    validate: str | None = None,
    init: str | None = None,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    on_error: str = "fail",
    resume: Resume = Resume.NO,
    nan: str | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> int:
    """Trains on a split and writes classifier.safetensors into `out`; stopped runs go on with --resume."""
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.backbone.classifier_training import ClassifierRecipe, ClassifierTraining
    from googlenet_rcnn.backbone.labelled_images import readable_images

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    if on_error not in ("skip", "fail"):
        raise UsageError("FLAG_VALUE", "--on-error: known are skip, fail")
    settings = on_nan(load_recipe(ClassifierRecipe, recipe, list(assignments)), ("train",), nan)
    start = None if init is None else find_weights(init, "--init")
    split = split or ("train" if _holds_folders(data / "train") else None)
    validate = validate or ("val" if (data / "val").is_dir() and split == "train" else None)
    images = _read(data, split, None, quiet)
    validation = None if validate is None else _read(data, validate, images, quiet)
    run = TrainingRun.prepare(settings, ("train",), out, None, resume=resume, threads=threads, quiet=quiet)
    training = ClassifierTraining(
        recipe=settings,
        init=start,
        out=out,
        processes=run.processes,
        say=run.say,
        report=lambda progress: run.report("classifier", progress),
        device=run.processes.device,
    )
    with run.begun():
        skip = on_error == "skip"
        images = readable_images(images, out / "train", skip, run.processes, run.say)
        if validation is not None:
            validation = readable_images(validation, out / "val", skip, run.processes, run.say)
        path = training.run(images, validation, f"{data.name} {split or ''}".strip(), resume)
    run.say(f"wrote {path}: use it with classify --weights {path}")
    return Exit.OK


def _holds_folders(place: Path) -> bool:
    """Whether this is a split: a class may be called train as well."""
    return place.is_dir() and any(entry.is_dir() for entry in place.iterdir())


def _read(data: Path, split: str | None, trained: "LabelledImages | None", quiet: bool) -> "LabelledImages":
    """A split; what is left out of it is told."""
    from googlenet_rcnn.backbone.labelled_images import LabelledImages
    from googlenet_rcnn.datasets.classified import read_classified

    found = read_classified(data, split, None if trained is None else trained.labels)
    if len(found.labels) < 2:
        raise DataError("CLASS_ONLY", f"{data}: there is one class, {found.labels.names[0]}; a classifier needs two")
    for finding in () if quiet else found.findings:
        print(one_line(f"note: {finding}"), file=sys.stderr)
    return LabelledImages(found.labels, found.paths, found.truth)
