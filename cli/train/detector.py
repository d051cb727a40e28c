"""`train-detector`: annotated pictures and a pretrained network in, a detector and its validation out."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe

from .run import TrainingRun, on_nan

if TYPE_CHECKING:
    from .data import TrainingData

__all__ = ["run_train_detector"]

_STAGES = ("head", "network", "screen.train")


def run_train_detector(
    data: Path,
    split: str | None,
    out: Path,
    *,
    init: str = "voc07",
    holdout: float | None = None,
    budget: str | None = None,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
    resume: Resume = Resume.NO,
    nan: str | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> int:
    """Trains on a split, writes detector.safetensors into `out`, and a report on the images that validate.

    Stopped runs go on with --resume.
    """
    began = time.monotonic()
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.detector.fine_tuning import DetectorRecipe, FineTuning

    from .data import check_training_data, choose_training_data
    from .plan import parse_budget, plan_training, resumed_recipe
    from .proposer import build_training_proposer

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    limit = None if budget is None else parse_budget(budget)
    settings = load_recipe(DetectorRecipe, recipe, list(assignments))
    if resume:
        told = recipe is not None or bool(assignments)
        settings = resumed_recipe(settings, out, told=told, planned=limit is not None)
    settings = on_nan(settings, _STAGES, nan)
    weights = find_weights(init, "--init")
    proposer = build_training_proposer(settings.proposals, threads, quiet)
    chosen = choose_training_data(data, split, holdout, settings.seed)
    run = TrainingRun.prepare(settings, _STAGES, out, cache, resume=resume, threads=threads, quiet=quiet)
    if limit is not None and run.processes.count > 1:
        raise UsageError("FLAG_VALUE", "--budget plans for one process: leave it out under torchrun")
    chosen = check_training_data(chosen, run.say)
    if not (out / "recipe.json").exists() and run.processes.count == 1:
        device = run.processes.device
        settings = plan_training(settings, chosen, weights, proposer, device, run.say, budget=limit, began=began)
        run = replace(run, settings=settings)
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
        path = training.run(chosen.train, chosen.name, resume)
        if run.processes.first:
            _validate(run, path, chosen, threads)
    run.say(f"wrote {path}; next: detect --image photo.jpg --weights {path}")
    return Exit.OK


def _validate(run: TrainingRun, weights: Path, data: "TrainingData", threads: int | None) -> None:
    from .validation import validate

    if data.validation is None:
        run.say("nothing was validated, since no image was kept from training: --holdout 0.2 keeps some")
        return
    report = run.out / "report"
    title = f"{weights} on {len(data.validation.samples)} images not trained on"
    table = validate(weights, data.validation, title, report, threads=threads, quiet=run.quiet, say=run.say)
    print(table, flush=True)
    run.say(f"what was found and missed, with pictures: {report / 'report.html'}")
