"""`train-screen`: a detector and annotated pictures in, the same detector with a screening head out."""

from pathlib import Path

from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe

from .run import TrainingRun, on_nan

__all__ = ["run_train_screen"]


def run_train_screen(
    data: Path,
    split: str,
    out: Path,
    *,
    weights: str,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
    resume: Resume = Resume.NO,
    nan: str | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> int:
    """Trains on a split and writes detector.safetensors into `out`; stopped runs go on with --resume."""
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.detector.screen_run import ScreenRun, ScreenRunRecipe

    from .proposer import build_training_proposer

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    settings = on_nan(load_recipe(ScreenRunRecipe, recipe, list(assignments)), ("screen.train",), nan)
    path = find_weights(weights)
    proposer = build_training_proposer(settings.proposals, threads, quiet)
    dataset = read_dataset(data, split)
    run = TrainingRun.prepare(settings, ("screen.train",), out, cache, resume=resume, threads=threads, quiet=quiet)
    training = ScreenRun(
        recipe=settings,
        weights=path,
        out=out,
        cache=run.cache,
        proposer=proposer,
        processes=run.processes,
        say=run.say,
        report=lambda progress: run.report("screen", progress),
        device=run.processes.device,
    )
    with run.begun():
        written = training.run(dataset, f"{data.name} {split}", resume)
    run.say(f"wrote {written}: use it with detect --weights {written}")
    return Exit.OK
