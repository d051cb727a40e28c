"""`train-detector`: annotated pictures and a pretrained network in, a detector out."""

import os
import sys
from pathlib import Path

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe
from googlenet_rcnn.core.store import lock, storage_error, write_json

from .progress import duration

__all__ = ["default_cache", "run_train_detector"]


def default_cache() -> Path:
    """Where activations are kept when nothing else is said: the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "googlenet-rcnn"


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
    import torch

    from googlenet_rcnn.backbone.engine import keep_freed_memory
    from googlenet_rcnn.backbone.processes import join_processes
    from googlenet_rcnn.backbone.training import Progress
    from googlenet_rcnn.datasets.voc import read_voc
    from googlenet_rcnn.detector.fine_tuning import DetectorRecipe, FineTuning

    from .build import build_proposer, find_weights
    from .threads import available_threads

    settings = load_recipe(DetectorRecipe, recipe, list(assignments))
    weights = find_weights(str(init), "--init")
    dataset = read_voc(data, split)
    if (out / "recipe.json").exists() and not resume:
        raise UsageError("OUT_EXISTS", f"{out} holds a run already: continue it with --resume or choose another --out")
    cache = cache or default_cache()
    for folder in (out, cache):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
    processes = join_processes()
    torch.set_num_threads(threads or max(1, available_threads() // processes.count))
    keep_freed_memory()

    def say(message: str) -> None:
        if processes.first and not quiet:
            print(message, file=sys.stderr, flush=True)

    def report(stage: str, progress: Progress) -> None:
        if progress.step % 20 == 0 or progress.step in (1, 5, progress.steps):
            losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
            left = duration(progress.seconds_left)
            say(f"{stage}: step {progress.step}/{progress.steps}, {losses}, rate {progress.rate:.2g}, {left} left")

    run = FineTuning(
        recipe=settings,
        init=weights,
        out=out,
        cache=cache,
        proposer=build_proposer(
            "ss", "native", settings.proposals.preset, settings.proposals.superpixel_scale, settings.seed
        ),
        processes=processes,
        say=say,
        report=report,
    )
    if not processes.first:
        run.run(dataset, f"{data.name} {split}", resume)
        return Exit.OK
    with lock(out / ".lock"):
        if not (out / "recipe.json").exists():  # a run goes on with the recipe it began with
            write_json(out / "recipe.json", settings.model_dump(mode="json"))
        path = run.run(dataset, f"{data.name} {split}", resume)
    say(f"wrote {path}: use it with detect --weights {path}")
    return Exit.OK
