"""From labelled images to a classifier: the paper's recipe, from scratch or from a network that is there."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from googlenet_rcnn.core.card import Architecture, Card
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import LabelSet

from .architectures import Loaded, Network, build_network, identity, load_network, take_layers
from .classification_task import ClassificationTask
from .crop_sampling import CropSampling
from .engine_torch import run_batches
from .freezing import freeze_below
from .importing import TORCHVISION_PREPROCESSING
from .labelled_images import LabelledImages
from .multicrop import multicrop
from .processes import Processes
from .ranges import measure_ranges
from .resuming import Resume
from .run_origin import settle_origin
from .training import Progress, TrainSettings, train
from .weights import save_weights

__all__ = ["ClassifierRecipe", "ClassifierTraining"]

_CLASSIFIERS = ("classifier.", "fc.", "aux")  # for other classes they are drawn anew
_RANGE_IMAGES = 32
_TOGETHER = 32  # validation images in a batch


class ClassifierRecipe(Settings):
    """All that decides how a classifier is trained."""

    seed: int = 0
    # From scratch; a network to start from has its own.
    arch: Architecture = "googlenet"
    heads: bool = True  # auxiliary classifiers at 4a and 4d, in training only
    auxiliary: float = Field(default=0.3, ge=0)  # weight of the loss of each
    smoothing: float = Field(default=0.0, ge=0, lt=1)  # of the labels
    frozen_below: str = ""  # first layer that is trained, say inception4a; "": all of them
    classifier_rate: float = Field(default=1.0, gt=0)  # how much faster layers for new classes learn
    crops: CropSampling = CropSampling()
    train: TrainSettings = TrainSettings(
        epochs=60.0, batch=64, rate=0.01, schedule="steps", average=0.999, weight_decay=2e-4
    )


@dataclass(frozen=True, eq=False)
class ClassifierTraining:
    """One training run: `out` receives a folder for its states, and classifier.safetensors in half precision."""

    recipe: ClassifierRecipe
    init: Path | None
    out: Path
    processes: Processes
    say: Callable[[str], None]
    report: Callable[[Progress], None]
    device: str = "cpu"

    def run(self, images: LabelledImages, validation: LabelledImages | None, data: str, resume: Resume) -> Path:
        """Trains on all images and returns the path of the weights, with their accuracy on `validation` in the Card."""
        start = None if self.init is None else load_network(self.init)
        card = self._card(start, images.labels, data)
        network = self._network(start, card)
        origin: dict[str, Any] = self.recipe.model_dump(mode="json", exclude={"train"})
        origin |= {"classes": card.labels, "init": None if start is None else identity(start.network)}
        settle_origin(self.out, origin, resume, self.processes)
        freeze_below(network, self.recipe.frozen_below)
        task = ClassificationTask(
            images.paths, images.truth, self.recipe.crops, card.preprocessing, self.recipe.auxiliary,
            self.recipe.smoothing,
        )  # fmt: skip
        new = () if start is not None and start.card.labels == card.labels else _CLASSIFIERS
        state = train(
            network, task, self.recipe.train, self.out / "train",
            seed=self.recipe.seed,
            resume=resume,
            rates=lambda key: self.recipe.classifier_rate if new and key.startswith(new) else 1.0,
            processes=self.processes,
            report=self.report,
            say=self.say,
            data=task.fingerprint(),
            device=self.device.partition(":")[0],
        )  # fmt: skip
        network.load_state_dict(state)
        network.half().float().eval()  # what is measured is what will be stored
        if validation is not None:
            card = card.model_copy(update={"metrics": self._accuracy(network, card, validation)})
        path = self.out / "classifier.safetensors"
        if self.processes.first:
            seen = (_crops(path, card) for path in images.paths[:: max(1, len(images.paths) // _RANGE_IMAGES)])
            card = card.model_copy(update={"ranges": measure_ranges(network, card, seen)})
            save_weights(path, network.state_dict(), card, half=True)
        self.processes.wait()
        return path

    def _card(self, start: Loaded | None, labels: LabelSet, data: str) -> Card:
        arch = self.recipe.arch if start is None else start.card.arch
        fresh = Card(arch=arch, labels=labels.names)
        if arch == "googlenet-bn":
            fresh = fresh.model_copy(update={"preprocessing": TORCHVISION_PREPROCESSING})
        before = fresh if start is None else start.card
        origin = "drawn at random" if start is None else before.provenance or str(self.init)
        return Card(
            arch=arch,
            labels=labels.names,
            heads=self.recipe.heads,
            preprocessing=before.preprocessing,
            resize_filter=before.resize_filter,
            squash=self.recipe.crops.squash,
            recipe=self.recipe.model_dump(mode="json"),
            data=data,
            seed=self.recipe.seed,
            versions={name: version(name) for name in ("torch", "torchvision", "numpy", "googlenet-rcnn")},
            licence=before.licence,
            provenance=f"{origin}; trained by googlenet-rcnn on {data}",
        )

    def _network(self, start: Loaded | None, card: Card) -> Network:
        """A network with the layers of `start`, its classifiers only if they are for the same classes."""
        torch.manual_seed(self.recipe.seed)
        network = build_network(card)
        if start is not None:
            same = start.card.task == "classifier" and start.card.labels == card.labels
            take_layers(network, start.network, without=() if same else _CLASSIFIERS)
        return network.to(self.device)

    def _accuracy(self, network: Network, card: Card, validation: LabelledImages) -> dict[str, Any]:
        """Top-1 and top-5 accuracy of one central crop.

        Processes take turns at batches that are the same for any number of them, so that none of them sees an image
        twice or in other company: the figures are those of one process.
        """
        correct = torch.zeros(2, dtype=torch.float64)
        every, count = _TOGETHER * self.processes.count, len(validation.paths)
        for first in range(_TOGETHER * self.processes.rank, count, every):
            numbers = range(first, min(first + _TOGETHER, count))
            crops = np.concatenate([_crops(validation.paths[number], card) for number in numbers])
            logits = run_batches(lambda x: network(x).main, crops, card.preprocessing, device=self.device)
            ranked = logits.argsort(dim=1, descending=True, stable=True)
            right = ranked[:, :5] == torch.from_numpy(validation.truth[list(numbers)])[:, None]
            correct += torch.stack([right[:, 0].sum(), right.sum()])
        self.processes.wait()  # until the slowest is done
        self.processes.sum_([correct])
        top1, top5 = (correct / max(1, count)).tolist()
        self.say(f"top-1 {top1:.4f}, top-5 {top5:.4f} on {count} images")
        return {"images": count, "crops": 1, "top1": top1, "top5": top5}


def _crops(path: Path, card: Card) -> NDArray[np.uint8]:
    return multicrop(read_image(path).pixels, 1, card.resize_filter, card.squash)
