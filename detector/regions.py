"""Scores of crops: softmax over C+1 classes by one network, or by several averaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.backbone.shared_engine import shared_engine
from googlenet_rcnn.backbone.softmax import softmax
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import LabelSet

from .region_scores import RegionScores
from .warp import Warp

__all__ = ["Ensemble", "GoogLeNetRegions", "RegionClassifier"]


class RegionClassifier(Protocol):
    """Anything that scores crops for C classes and background."""

    @property
    def labels(self) -> LabelSet:
        """The C foreground classes."""
        ...

    def score(self, crops: NDArray[np.uint8]) -> RegionScores:
        """Scores of RGB crops uint8 [n,S,S,3]; those of a crop depend on no other."""
        ...


@dataclass(frozen=True, eq=False)
class GoogLeNetRegions:
    """One fine-tuned network."""

    engine: Engine
    card: Card

    @classmethod
    def load(
        cls,
        path: Path,
        runtime: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = lambda message: None,
    ) -> "GoogLeNetRegions":
        """The detector in a checkpoint, run by `runtime`; ModelError if the file holds something else."""
        card = read_card(path)
        if card.task != "detector":
            raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a detector: train one with train-detector")
        return cls(shared_engine(path, "scores", runtime, threads=threads, say=say), card)

    @property
    def labels(self) -> LabelSet:
        """The classes its Card names."""
        return self.card.label_set

    @property
    def warp(self) -> Warp:
        """The warp it was trained with."""
        return Warp(self.card.warp_side, self.card.warp_context, self.card.preprocessing.fill)

    def score(self, crops: NDArray[np.uint8]) -> RegionScores:
        """Softmax, and offsets where the network has box regression, of crops uint8 [n,S,S,3]."""
        classes, regressed = self.card.classes, self.card.regressed
        rows = self.engine.run(crops)
        offsets = rows[:, classes:].reshape(-1, regressed, 4) if regressed else None
        return RegionScores(softmax(rows[:, :classes]), offsets)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The mean of several classifiers' scores (Szegedy 2014, section 7), itself a classifier.

    Members without box regression have no say in where a box moves.
    """

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

    def score(self, crops: NDArray[np.uint8]) -> RegionScores:
        """Mean scores of crops uint8 [n,S,S,3]."""
        scores = [member.score(crops) for member in self.members]
        offsets = [one.offsets for one in scores if one.offsets is not None]
        return RegionScores(_mean([one.probabilities for one in scores]), _mean(offsets) if offsets else None)


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.asarray(np.mean(arrays, axis=0, dtype=np.float64), dtype=np.float32)
