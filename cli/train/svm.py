"""`train-svm`: a detector and annotated pictures in, the same detector with SVMs as its classifier out."""

import sys
from pathlib import Path

from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import load_recipe

__all__ = ["run_train_svm"]


def run_train_svm(
    data: Path,
    split: str,
    out: Path,
    *,
    weights: str,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
    runtime: str = "auto",
    threads: int | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> int:
    """Trains on a split and writes the detector to the file `out`; what a stopped run computed is in the cache."""
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.detector.svm_run import SvmRecipe, SvmRun

    from .proposer import build_training_proposer
    from .run import cache_or

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    if out.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{out} is there already: choose another --out or say --overwrite")

    def say(message: str) -> None:
        if not quiet:
            print(message, file=sys.stderr)

    settings = load_recipe(SvmRecipe, recipe, list(assignments))
    path = find_weights(weights)
    dataset = read_dataset(data, split)  # before an engine is measured for it
    run = SvmRun(
        recipe=settings,
        weights=path,
        engine=Runtime(runtime, threads, say).engine(path, "features"),
        cache=cache_or(cache, out.with_name(f"{out.name}.cache"), say),
        proposer=build_training_proposer(settings.proposals, threads, quiet),
        say=say,
    )
    run.run(dataset, f"{data.name} {split}", out)
    say(f"wrote {out}: use it with detect --weights {out}")
    return Exit.OK
