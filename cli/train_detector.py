"""`train-detector`: annotated pictures and a pretrained network in, a detector out."""

import sys
from pathlib import Path

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe

from .training_run import TrainingRun

__all__ = ["run_train_detector"]

_STAGES = ("head", "network", "screen.train")


def run_train_detector(
    data: Path,
    split: str,
    out: Path,
    *,
    init: Path,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
    resume: bool = False,
    threads: int | None = None,
    quiet: bool = False,
) -> int:
    """Trains on a split and writes detector.safetensors into `out`; stopped runs go on with --resume."""
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.detector.fine_tuning import DetectorRecipe, FineTuning

    from .build import build_proposer, find_weights

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    settings = load_recipe(DetectorRecipe, recipe, list(assignments))
    weights = find_weights(str(init), "--init")
    proposals = settings.proposals
    proposer = build_proposer(
        "ss",
        preset=proposals.preset,
        superpixel_scale=proposals.superpixel_scale,
        say=lambda message: None if quiet else print(message, file=sys.stderr),
    )
    dataset = read_dataset(data, split)
    run = TrainingRun.prepare(settings, _STAGES, out, cache, resume=resume, threads=threads, quiet=quiet)
    training = FineTuning(
        recipe=settings,
        init=weights,
        out=out,
        cache=run.cache,
        proposer=proposer,
        processes=run.processes,
        device=run.processes.device,
        say=run.say,
        report=run.report,
    )
    with run.begun():
        path = training.run(dataset, f"{data.name} {split}", resume)
    run.say(f"wrote {path}: use it with detect --weights {path}")
    return Exit.OK
