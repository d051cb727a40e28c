"""A screening head for a detector that is there already: nothing else in it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import model_validator

from googlenet_rcnn.backbone.architectures import identity, load_network
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.run_origin import settle_origin
from googlenet_rcnn.backbone.training import Progress
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Dataset, Proposer

from .fine_tuning import ProposalSettings
from .finished import check_finished
from .screen_training import ScreenRecipe, ScreenTraining
from .targets import OverlapTargets

__all__ = ["ScreenRun", "ScreenRunRecipe"]


class ScreenRunRecipe(Settings):
    """All that decides how a detector learns to screen."""

    seed: int = 0
    proposals: ProposalSettings = ProposalSettings()
    targets: OverlapTargets = OverlapTargets()
    screen: ScreenRecipe = ScreenRecipe()

    @model_validator(mode="after")
    def _trains(self) -> "ScreenRunRecipe":
        if self.screen.train.epochs == 0:
            raise ValueError("screen.train.epochs must be greater than 0")
        return self


@dataclass(frozen=True, eq=False)
class ScreenRun:
    """One run: `out` receives the detector of `weights` with a new head as detector.safetensors in half precision."""

    recipe: ScreenRunRecipe
    weights: Path
    out: Path
    cache: Path
    proposer: Proposer
    processes: Processes
    say: Callable[[str], None]
    report: Callable[[Progress], None]
    device: str = "cpu"

    def run(self, dataset: Dataset, data: str, resume: Resume) -> Path:
        """Trains on every annotated sample of the data set and returns the path of the weights.

        ModelError if the weights are no detector's; DataError if the data has other labels, or no objects.
        """
        network, card = load_network(self.weights)
        check_finished(card, self.weights, dataset, data)
        origin = self.recipe.model_dump(mode="json", exclude={"screen": {"train"}}) | {"weights": identity(network)}
        settle_origin(self.out, origin, resume, self.processes)
        recipe = self.recipe
        training = ScreenTraining(
            recipe.screen, recipe.targets, network, card, recipe.seed, self.out / "screen", self.cache,
            self.proposer, self.processes, self.say, self.report, self.device,
        )  # fmt: skip
        tensors, card = training.run(dataset, data, resume)
        # Laid out as fine-tuning leaves it, with what it would have had from the rest of its own recipe.
        learned = recipe.screen.model_dump(mode="json") | recipe.model_dump(mode="json", exclude={"screen"})
        card = card.model_copy(update={"recipe": card.recipe | {"screen": learned}})
        path = self.out / "detector.safetensors"
        if self.processes.first:
            save_weights(path, tensors, card, half=True)
        self.processes.wait()
        return path
