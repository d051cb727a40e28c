"""`train-multibox`: annotated pictures and a trunk in, a proposer out."""

from pathlib import Path

from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.core.errors import Exit, ModelError, UsageError
from googlenet_rcnn.core.recipe import load_recipe

from .run import TrainingRun, on_nan

__all__ = ["run_train_multibox"]

_SIDE = 224  # pixels of an image in the trunk, whose map of 14x14 cells the head pools


def run_train_multibox(
    data: Path,
    split: str,
    out: Path,
    *,
    trunk: str,
    recipe: Path | None = None,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
    resume: Resume = Resume.NO,
    nan: str | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> int:
    """Trains on a split and writes multibox.safetensors into `out`; stopped runs go on with --resume."""
    from googlenet_rcnn.api.weights_files import DEFAULT_WEIGHTS, find_weights
    from googlenet_rcnn.backbone.architectures import load_network
    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.proposals.multibox_training import MultiBoxRecipe, MultiBoxTraining

    if threads is not None and threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    settings = on_nan(load_recipe(MultiBoxRecipe, recipe, list(assignments)), ("train",), nan)
    weights = find_weights(trunk, "--trunk")
    dataset = read_dataset(data, split)
    network, card = load_network(weights)
    if card.warp_side != _SIDE:
        what = f"looks at {card.warp_side} pixels a side, a MultiBox at {_SIDE}: choose another trunk"
        raise ModelError("MODEL_TRUNK", f"--trunk {trunk} {what}")
    run = TrainingRun.prepare(settings, ("train",), out, cache, resume=resume, threads=threads, quiet=quiet)
    training = MultiBoxTraining(
        recipe=settings,
        trunk=network,
        trunk_card=card,
        shipped_trunk=weights == find_weights(DEFAULT_WEIGHTS),
        out=out,
        cache=run.cache,
        processes=run.processes,
        say=run.say,
        report=lambda progress: run.report("multibox", progress),
        device=run.processes.device,
    )
    with run.begun():
        path = training.run(dataset, f"{data.name} {split}", resume)
    run.say(f"wrote {path}: use it with propose --method multibox --multibox-weights {path}")
    return Exit.OK
