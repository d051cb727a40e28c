"""`train-detector`: annotated pictures and a pretrained network in, a detector out."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe
from googlenet_rcnn.core.store import lock, storage_error, write_json

from .progress import duration

if TYPE_CHECKING:
    from googlenet_rcnn.detector.fine_tuning import DetectorRecipe

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

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    settings = load_recipe(DetectorRecipe, recipe, list(assignments))
    weights = find_weights(str(init), "--init")
    proposals = settings.proposals
    proposer = build_proposer("ss", "native", proposals.preset, proposals.superpixel_scale, settings.seed)
    dataset = read_voc(data, split)
    if (out / "recipe.json").exists() and not resume:
        raise UsageError("OUT_EXISTS", f"{out} holds a run already: continue it with --resume or choose another --out")
    if (out / "recipe.json").exists():
        _compare(out / "recipe.json", settings)
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
        proposer=proposer,
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


def _compare(path: Path, settings: "DetectorRecipe") -> None:
    """UsageError (RESUME_DIFFERS) unless a run goes on with its own recipe; what changes no weight is free."""
    free = {"workers", "checkpoint_minutes", "accumulate"}
    stages = {"head": free, "network": free}
    try:
        begun = type(settings).model_validate_json(path.read_bytes()).model_dump(exclude=stages)
    except (OSError, ValueError):
        raise UsageError("RESUME_DIFFERS", f"{path} cannot be read: choose a new --out") from None
    now = settings.model_dump(exclude=stages)
    different = [key for key in now if now[key] != begun[key]]
    if different:
        message = f"{path.parent} was begun with other {', '.join(different)}: use its settings or a new --out"
        raise UsageError("RESUME_DIFFERS", message)
