"""From a pretrained classifier to a detector, in stages that a CPU can afford.

Stage "head": everything up to 4e is frozen, so its activations are computed once per window and 5a, 5b
and a new classifier over C+1 classes are trained on them. Stage "network": all layers, or those from
`frozen_below` up, at a low rate, on crops warped anew. R-CNN (arXiv:1311.2524, section 2.3) trains all layers
throughout. Stage "screen": the network stays as it is, and a small head on its map of the whole image learns which
proposals are worth a crop (`screening`). Any stage may be left out (epochs = 0).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from googlenet_rcnn.backbone.architectures import Network, build_network, identity, load_network, take_layers
from googlenet_rcnn.backbone.freezing import freeze_below
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.ranges import measure_ranges
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.run_origin import settle_origin
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Dataset, Proposer

from .activations import ActivationCache
from .partial_truth import limit_partial
from .range_crops import range_crops
from .sampling import WindowSampling
from .screen_training import ScreenRecipe, ScreenTraining
from .targets import OverlapTargets
from .tasks import ActivationTask, WindowTask
from .warp import Warp
from .windows import WindowCache

__all__ = ["DetectorRecipe", "FineTuning", "ProposalSettings"]


_NEW = ("classifier.", "fc.", "regressor.")  # layers that the pretrained network has not, or for other classes


class ProposalSettings(Settings):
    """Where training windows come from."""

    method: str = "ss"  # or multibox, or multibox+ss as in the paper (Szegedy 2014, section 8)
    multibox: str = "multibox-voc07"  # shipped name or file
    multibox_k: int = Field(default=200, gt=0)  # boxes of MultiBox in an image
    preset: str = "fast"
    superpixel_scale: float = Field(default=2.0, gt=0)


class DetectorRecipe(Settings):
    """All that decides how a detector is trained."""

    seed: int = 0
    context: int = Field(default=16, ge=0)  # pixels of surroundings in a crop
    classifier_rate: float = Field(default=4.0, gt=0)  # the new layers learn faster than the pretrained ones
    frozen_below: str = ""  # first layer that the "network" stage trains, say inception4a; "": all of them
    box_regression: bool = True
    partial_objects: int = Field(default=1000, gt=0)  # most of a class from images not exhaustively annotated
    proposals: ProposalSettings = ProposalSettings()
    windows: WindowSampling = WindowSampling()
    targets: OverlapTargets = OverlapTargets()
    head: TrainSettings = TrainSettings(epochs=3.0, batch=64, rate=0.005, average=0.995)
    network: TrainSettings = TrainSettings(epochs=0.1, batch=32, rate=0.001, average=0.98)
    screen: ScreenRecipe = ScreenRecipe()


@dataclass(frozen=True, eq=False)
class FineTuning:
    """One training run: `out` receives a folder for each stage and detector.safetensors in half precision."""

    recipe: DetectorRecipe
    init: Path
    out: Path
    cache: Path
    proposer: Proposer
    processes: Processes
    say: Callable[[str], None]
    report: Callable[[str, Progress], None]
    device: str = "cpu"

    def run(self, dataset: Dataset, data: str, resume: Resume) -> Path:
        """Trains on every sample of the data set and returns the path of the weights."""
        if not any(len(s.truth) for s in dataset.samples if s.truth is not None):
            raise DataError("NO_OBJECTS", f"{data}: no image has an object to learn from")
        pretrained, start = load_network(self.init)
        card = self._card(start, dataset, data)
        network = self._detector(pretrained, start, card)
        weights = identity(pretrained)
        stages: dict[str, Any] = {"head": True, "network": True, "screen": {"train"}}
        origin = self.recipe.model_dump(mode="json", exclude=stages) | {"classes": card.labels, "init": weights}
        settle_origin(self.out, origin, resume, self.processes)
        warp = Warp(card.warp_side, card.warp_context, card.preprocessing.fill)
        source = WindowCache(self.cache, self.proposer, self.recipe.windows, self.recipe.seed)
        samples = limit_partial(dataset.samples, self.recipe.partial_objects, self.recipe.seed)
        windows = self.processes.share("windows", samples, source.build, self.say)
        if self.recipe.head.epochs > 0:
            frozen = pretrained.to(self.device)

            def lower(x: Tensor) -> Tensor:
                return frozen.lower(x.to(self.device)).cpu()

            cache = ActivationCache(self.cache, lower, card.preprocessing, warp, source.key, weights)
            shards = self.processes.share("activations", windows, cache.build, self.say)
            freeze_below(network, "inception5a")
            self._stage("head", network, ActivationTask(shards, self.recipe.targets), self.recipe.head, resume)
        if self.recipe.network.epochs > 0:
            freeze_below(network, self.recipe.frozen_below)
            task = WindowTask(windows, self.recipe.targets, warp, card.preprocessing)
            self._stage("network", network, task, self.recipe.network, resume)
        tensors = network.state_dict()
        if self.recipe.screen.train.epochs > 0:
            tensors, card = self._screening(network, card).run(dataset, data, resume)
        path = self.out / "detector.safetensors"
        if self.processes.first:
            ranges = measure_ranges(network, card, range_crops(windows, warp, self.recipe.seed))
            card = card.model_copy(update={"ranges": ranges})
            save_weights(path, tensors, card, half=True)
        self.processes.wait()
        return path

    def _card(self, start: Card, dataset: Dataset, data: str) -> Card:
        return Card(
            arch=start.arch,
            task="detector",
            labels=dataset.labels.names,
            preprocessing=start.preprocessing,
            warp_side=start.warp_side,
            warp_context=self.recipe.context,
            box_regression=self.recipe.box_regression,
            recipe=self.recipe.model_dump(mode="json"),
            data=data,
            seed=self.recipe.seed,
            versions={name: version(name) for name in ("torch", "numpy", "googlenet-rcnn")},
            licence=start.licence,
            provenance=f"{start.provenance or self.init.name}; fine-tuned by googlenet-rcnn on {data}",
        )

    def _detector(self, pretrained: Network, start: Card, card: Card) -> Network:
        """A detector with the pretrained layers; its own are new, drawn from N(0, 0.01) as in R-CNN (offsets: 0.001).

        A detector of the same classes keeps its classifier and is trained on.
        """
        torch.manual_seed(self.recipe.seed)
        network = build_network(card)
        same = start.task == "detector" and start.labels == card.labels
        kept = take_layers(network, pretrained, without=() if same else _NEW)
        for name, parameter in network.named_parameters():
            if name not in kept:
                if parameter.ndim > 1:
                    nn.init.normal_(parameter, std=0.001 if name.startswith("regressor.") else 0.01)
                else:
                    nn.init.zeros_(parameter)
        return network.to(self.device)

    def _screening(self, network: Network, card: Card) -> ScreenTraining:
        return ScreenTraining(
            self.recipe.screen, self.recipe.targets, network, card, self.recipe.seed, self.out / "screen", self.cache,
            self.proposer, self.processes, self.say, lambda progress: self.report("screen", progress), self.device,
        )  # fmt: skip

    def _stage(
        self,
        name: str,
        network: Network,
        task: ActivationTask | WindowTask,
        settings: TrainSettings,
        resume: Resume,
    ) -> None:
        state = train(
            network, task, settings, self.out / name,
            seed=self.recipe.seed,
            resume=resume,
            rates=lambda key: self.recipe.classifier_rate if key.startswith(_NEW) else 1.0,
            processes=self.processes,
            report=lambda progress: self.report(name, progress),
            say=self.say,
            data=task.fingerprint(),
            device=self.device.partition(":")[0],
        )  # fmt: skip
        network.load_state_dict(state)
