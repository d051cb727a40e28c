"""Scores of crops: softmax over C+1 classes by one network, or by several averaged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from googlenet_rcnn.backbone.architectures import Network, load_network
from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import LabelSet

from .warp import Warp

__all__ = ["Ensemble", "GoogLeNetRegions", "RegionClassifier"]


class RegionClassifier(Protocol):
    """Anything that scores crops for C classes and background."""

    @property
    def labels(self) -> LabelSet:
        """The C foreground classes."""
        ...

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Rows [n,1+C] that sum to 1, of RGB crops uint8 [n,S,S,3]; column 0 is background."""
        ...


@dataclass(frozen=True, eq=False)
class GoogLeNetRegions:
    """One fine-tuned network."""

    network: Network
    card: Card
    batch: int = 32

    @classmethod
    def load(cls, path: Path) -> "GoogLeNetRegions":
        """The detector in a checkpoint; ModelError if the file holds something else."""
        network, card = load_network(path)
        if card.task != "detector":
            raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a detector: train one with train-detector")
        return cls(network, card)

    @property
    def labels(self) -> LabelSet:
        """The classes its Card names."""
        return self.card.label_set

    @property
    def warp(self) -> Warp:
        """The warp it was trained with."""
        return Warp(self.card.warp_side, self.card.warp_context, self.card.preprocessing.fill)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Softmax rows [n,1+C] of crops uint8 [n,S,S,3]."""
        logits = run_batches(lambda x: self.network(x).main, crops, self.card.preprocessing, self.batch)
        return torch.softmax(logits, dim=1).numpy()


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The mean of several classifiers' probabilities (Szegedy 2014, section 7), itself a classifier."""

    members: Sequence[RegionClassifier]

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("an ensemble needs at least one member")
        for member in self.members[1:]:
            if member.labels != self.members[0].labels:
                raise UsageError(
                    "ENSEMBLE_LABELS", "the models of an ensemble must have the same labels in the same order"
                )

    @property
    def labels(self) -> LabelSet:
        """The classes all members share."""
        return self.members[0].labels

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Mean rows [n,1+C] of crops uint8 [n,S,S,3]."""
        total = np.zeros((len(crops), 1 + len(self.labels)), dtype=np.float64)
        for member in self.members:
            total += member.probabilities(crops)
        return (total / len(self.members)).astype(np.float32)
