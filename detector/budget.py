"""How long a training takes, and the recipe that fits into a given time: arithmetic on measured rates, nothing else."""

import math
from typing import Any, NamedTuple

import numpy as np

from .fine_tuning import DetectorRecipe

__all__ = ["Estimate", "Rates", "Work", "estimate", "fit_recipe", "least_recipe"]

_FEWEST = {"positives": 2, "hard": 5, "background": 2}  # windows of an image, beside its objects, that still teach
_HEAD_STEPS, _HEAD_PASSES = (100, 600), (1.0, 10.0)  # fewest useful and enough; the number of passes has bounds too
_SCREEN_STEPS, _SCREEN_PASSES = (120, 400), (1.0, 60.0)
_NETWORK_LEAST, _NETWORK_PASSES = 0.5, 3.0  # where no other stage is there; as many as the model that ships made
_LEVELS = 21  # tried between the fewest and enough
_SURVIVORS = 57  # crops of an image in fast mode (README) ...
_ENGINE_GAIN = 1.3  # ... by an engine that is faster than the network in training, by this much at least
_RANGE_CROPS = 8 * 32  # looked at to measure ranges
_ENGINES = 20.0  # seconds to build the engines of a new detector


class Rates(NamedTuple):
    """What a machine does: seconds an image to propose, to look at it whole and for a pass of the screening head;
    crops a second through the frozen part, training the upper part and training the whole network."""

    propose: float
    look: float
    screen: float
    frozen: float
    head: float
    network: float


class Work(NamedTuple):
    """Numbers of training images, of the objects in them that count, and of validation images."""

    images: int
    objects: int
    validation: int


class Estimate(NamedTuple):
    """Seconds for each stage of a training."""

    windows: float
    activations: float
    head: float
    network: float
    screening: float
    validation: float

    @property
    def total(self) -> float:
        """Seconds for all of it."""
        return sum(self)


def estimate(recipe: DetectorRecipe, work: Work, rates: Rates) -> Estimate:
    """How long each stage of a recipe takes; an image that has fewer windows than asked for makes it less."""
    crops = _windows(recipe, work)
    head, network, screen = recipe.head, recipe.network, recipe.screen.train
    seen = _seen(screen.epochs, work.images, screen.batch)
    screening = work.images * (rates.propose + rates.look) + seen * rates.screen
    validated = work.validation * (rates.propose + rates.look + _SURVIVORS / (_ENGINE_GAIN * rates.frozen))
    return Estimate(
        work.images * rates.propose,
        crops / rates.frozen if head.epochs > 0 else 0.0,
        _seen(head.epochs, crops, head.batch) / rates.head,
        _seen(network.epochs, crops, network.batch) / rates.network,
        (screening if screen.epochs > 0 else 0.0) + _RANGE_CROPS / rates.frozen,
        _ENGINES + validated if work.validation else 0.0,
    )


def least_recipe(recipe: DetectorRecipe, work: Work) -> DetectorRecipe:
    """The shortest training that may be of use: few windows and steps, of the whole network only where nothing else
    is trained. A stage that the recipe leaves out stays out.
    """
    windows = {name: min(count, getattr(recipe.windows, name)) for name, count in _FEWEST.items()}
    least = _set(recipe, "windows", **windows)
    if recipe.head.epochs > 0:
        least = _with_epochs(least, "head", _bounds(least, work, "head")[0])
    if recipe.network.epochs > 0:
        least = _with_epochs(least, "network", 0.0 if recipe.head.epochs > 0 else _NETWORK_LEAST)
    if recipe.screen.train.epochs > 0:
        least = _with_epochs(least, "screen", _bounds(least, work, "screen")[0])
    return least


def fit_recipe(recipe: DetectorRecipe, work: Work, rates: Rates, seconds: float) -> DetectorRecipe:
    """The recipe with as many windows and passes as fit into the time.

    Beginning with the shortest, time is spent on the upper layers first, then on screening, on the windows of the
    recipe, and last on the whole network; each must have enough before the next gets any, so that more time never
    buys less of anything. ValueError if not even the shortest fits.
    """
    best = least_recipe(recipe, work)
    if estimate(best, work, rates).total > seconds:
        raise ValueError(f"{seconds:g} seconds are less than the shortest training takes")
    for offers in (_more_head, _more_screening, _more_windows, _more_network):
        rising = offers(best, recipe, work)
        fitting = [offer for offer in rising if estimate(offer, work, rates).total <= seconds]
        best = fitting[-1] if fitting else best
        if len(fitting) < len(rising):
            break
    return best


def _more_head(least: DetectorRecipe, recipe: DetectorRecipe, work: Work) -> list[DetectorRecipe]:
    levels = _levels(*_bounds(least, work, "head")) if recipe.head.epochs > 0 else []
    return [_with_epochs(least, "head", epochs) for epochs in levels]


def _more_screening(least: DetectorRecipe, recipe: DetectorRecipe, work: Work) -> list[DetectorRecipe]:
    levels = _levels(*_bounds(least, work, "screen")) if recipe.screen.train.epochs > 0 else []
    return [_with_epochs(least, "screen", epochs) for epochs in levels]


def _more_windows(least: DetectorRecipe, recipe: DetectorRecipe, work: Work) -> list[DetectorRecipe]:
    """From few windows to those of the recipe, every kind in the same proportion."""
    few, many = least.windows, recipe.windows
    return [
        _set(
            least,
            "windows",
            **{name: round(getattr(few, name) * (1 - part) + getattr(many, name) * part) for name in _FEWEST},
        )
        for part in np.linspace(0, 1, _LEVELS).tolist()
    ]


def _more_network(least: DetectorRecipe, recipe: DetectorRecipe, work: Work) -> list[DetectorRecipe]:
    levels = _levels(least.network.epochs, _NETWORK_PASSES, 301) if recipe.network.epochs > 0 else []
    return [_with_epochs(least, "network", epochs) for epochs in levels]


def _windows(recipe: DetectorRecipe, work: Work) -> int:
    sampling = recipe.windows
    return work.objects + work.images * (sampling.positives + sampling.hard + sampling.background)


def _seen(epochs: float, examples: int, batch: int) -> int:
    """Examples that go through a stage: a training has whole steps, and at least one."""
    return max(1, math.ceil(epochs * examples / batch)) * batch if epochs > 0 else 0


def _bounds(recipe: DetectorRecipe, work: Work, stage: str) -> tuple[float, float]:
    """Passes that are the fewest useful and that are enough: those that make so many steps, within limits."""
    if stage == "head":
        steps, (fewest, most), examples, batch = _HEAD_STEPS, _HEAD_PASSES, _windows(recipe, work), recipe.head.batch
    else:
        steps, (fewest, most), examples, batch = _SCREEN_STEPS, _SCREEN_PASSES, work.images, recipe.screen.train.batch
    low, high = (round(min(max(fewest, count * batch / max(1, examples)), most), 2) for count in steps)
    return low, high


def _levels(low: float, high: float, count: int = _LEVELS) -> list[float]:
    return [round(level, 2) for level in np.linspace(low, high, count).tolist()]


def _with_epochs(recipe: DetectorRecipe, stage: str, epochs: float) -> DetectorRecipe:
    if stage != "screen":
        return _set(recipe, stage, epochs=epochs)
    return _set(recipe, "screen", train=recipe.screen.train.model_copy(update={"epochs": epochs}))


def _set(recipe: DetectorRecipe, table: str, **values: Any) -> DetectorRecipe:
    return recipe.model_copy(update={table: getattr(recipe, table).model_copy(update=values)})
