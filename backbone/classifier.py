"""Whole images to class probabilities: one network or several, each on its own views of the image."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import Image, LabelSet

from .architectures import Loaded, Network, load_network
from .engine import run_batches
from .multicrop import multicrop

__all__ = ["Classifier"]


@dataclass(frozen=True, eq=False)
class Classifier:
    """The mean of several networks' probabilities (Szegedy 2014, section 7); UsageError if their labels differ."""

    members: Sequence[Loaded]
    batch: int = 32

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("a classifier needs at least one network")
        if any(member.card.labels != self.members[0].card.labels for member in self.members):
            raise UsageError("ENSEMBLE_LABELS", "the models of an ensemble must have the same labels in the same order")

    @classmethod
    def load(cls, paths: Sequence[Path], device: str = "cpu") -> "Classifier":
        """The classifiers in one or several checkpoints, computing on `device`; ModelError for other files."""
        members = []
        for path in paths:
            network, card = load_network(path)
            if card.task != "classifier":
                raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a classifier of whole images")
            members.append(Loaded(network.to(device), card))
        return cls(members)

    @property
    def labels(self) -> LabelSet:
        """The K classes that all members share."""
        return self.members[0].card.label_set

    def probabilities(self, image: Image, crops: int = 1, largest: bool = False) -> NDArray[np.float64]:
        """Mean softmax [K] over the crops and then the networks, of an image uint8 [H,W,3].

        With `largest` a class has its largest probability in any crop (the paper tried it: worse), and the sum
        is no longer 1.
        """
        total = np.zeros(len(self.labels))
        seen: dict[str, NDArray[np.uint8]] = {}
        for network, card in self.members:
            if card.resize_filter not in seen:
                seen[card.resize_filter] = multicrop(image, crops, card.resize_filter)
            pixels = seen[card.resize_filter]
            device = next(network.parameters()).device
            logits = run_batches(partial(_main, network), pixels, card.preprocessing, self.batch, device)
            each = torch.softmax(logits.double(), dim=1).numpy()
            total += each.max(axis=0) if largest else each.mean(axis=0)
        return total / len(self.members)


def _main(network: Network, inputs: Tensor) -> Tensor:
    logits: Tensor = network(inputs).main
    return logits
