"""How long a training will take on this machine, told before it begins, and the recipe that a time limit allows."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import UsageError

from ..progress import duration

if TYPE_CHECKING:
    from googlenet_rcnn.core.types import Proposer
    from googlenet_rcnn.detector.budget import Estimate
    from googlenet_rcnn.detector.fine_tuning import DetectorRecipe

    from .data import TrainingData

__all__ = ["parse_budget", "plan_training", "resumed_recipe"]

_USED = 0.9  # of the time is planned with: rates are measured in seconds, and machines have other work


def parse_budget(text: str) -> float:
    """Seconds that 90s, 15m, 2h or 1h30m mean; UsageError for anything else."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600.0 * hours + 60 * minutes + seconds
    if not total:
        raise UsageError("FLAG_VALUE", f"--budget {text}: give a time such as 90s, 15m, 2h or 1h30m")
    return total


def resumed_recipe(recipe: "DetectorRecipe", out: Path, *, told: bool, planned: bool) -> "DetectorRecipe":
    """The recipe with which the run in `out` goes on: its own where none was `told`.

    Where a budget was given again, what a plan decides is taken from the run, and the rest must agree.
    """
    path = out / "recipe.json"
    try:
        begun = type(recipe).model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return recipe  # no run, or one that cannot be read, which is refused later
    if not told:
        return begun
    if not planned:
        return recipe
    epochs = {"epochs": begun.screen.train.epochs}
    screen = recipe.screen.model_copy(update={"train": recipe.screen.train.model_copy(update=epochs)})
    counts = begun.windows.model_dump(include={"positives", "hard", "background"})
    return recipe.model_copy(
        update={
            "windows": recipe.windows.model_copy(update=counts),
            "head": recipe.head.model_copy(update={"epochs": begun.head.epochs}),
            "network": recipe.network.model_copy(update={"epochs": begun.network.epochs}),
            "screen": screen,
        }
    )


def plan_training(
    recipe: "DetectorRecipe",
    data: "TrainingData",
    init: Path,
    proposer: "Proposer",
    device: str,
    say: Callable[[str], None],
    *,
    budget: float | None,
    began: float,
) -> "DetectorRecipe":
    """The recipe, fitted into `budget` seconds from the moment `began` (monotonic) where given; its time is said.

    UsageError (BUDGET_SMALL) names the least time.
    """
    from googlenet_rcnn.detector.budget import Work, estimate, fit_recipe, least_recipe
    from googlenet_rcnn.detector.training_rates import measure_rates

    samples = data.train.samples
    objects = sum(int((~sample.truth.ignore).sum()) for sample in samples if sample.truth is not None)
    work = Work(len(samples), objects, len(data.validation.samples) if data.validation is not None else 0)
    rates = measure_rates(recipe, init, data.train.labels.names, samples, proposer, device)
    least = least_recipe(recipe, work)
    if budget is not None:
        spent = time.monotonic() - began
        left, needed = (budget - spent) * _USED, estimate(least, work, rates).total
        if needed > left:
            enough = _minutes(spent + needed / _USED)
            raise UsageError("BUDGET_SMALL", f"--budget is too little for these data: give at least {enough}")
        recipe = fit_recipe(recipe, work, rates, left)
    windows = recipe.windows.positives + recipe.windows.hard + recipe.windows.background
    count = work.objects + work.images * windows
    say(
        f"{work.images} images to propose in and {count:,} windows to train on, {work.validation} images to validate; "
        f"crops/s here: {rates.frozen:.0f} through the frozen part, {rates.head:.0f} training the upper layers, "
        f"{rates.network:.0f} training all"
    )
    if budget is not None:
        say(
            f"planned for {duration(budget)}: {windows} windows an image beside its objects, {recipe.head.epochs:g} "
            f"passes of the upper layers, {recipe.network.epochs:g} of the whole network, "
            f"{recipe.screen.train.epochs:g} of screening"
        )
    elif least.screen.train.epochs > recipe.screen.train.epochs or least.head.epochs > recipe.head.epochs:
        say("note: the recipe makes few passes over so few images: --budget 15m plans as many as fit into the time")
    say(_told(estimate(recipe, work, rates)))
    return recipe


def _minutes(seconds: float) -> str:
    """A time to give as --budget, rounded up."""
    return f"{-int(-seconds // 1)}s" if seconds < 90 else f"{-int(-seconds // 60)}m"


def _told(time_needed: "Estimate") -> str:
    unit, name = (1, "seconds") if time_needed.total < 90 else (60, "minutes")
    stages = ", ".join(f"{stage} {seconds / unit:.0f}" for stage, seconds in time_needed._asdict().items())
    return f"about {time_needed.total / unit:.0f} {name}: {stages}"
