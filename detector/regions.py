"""Scores of crops: softmax over C+1 classes by a network."""

from collections.abc import Callable
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
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import LabelSet

from .region_scores import RegionScores
from .warp import Warp

__all__ = ["GoogLeNetRegions", "RegionClassifier"]


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
