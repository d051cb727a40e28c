"""Whole images to class probabilities: one network or several, each on its own views of the image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import Image, LabelSet

from .checkpoint import read_card
from .engine import Engine
from .multicrop import multicrop
from .shared_engine import shared_engine
from .softmax import softmax

__all__ = ["Classifier", "Member"]


class Member(NamedTuple):
    """A network that gives scores, and the Card it came with."""

    engine: Engine
    card: Card


@dataclass(frozen=True, eq=False)
class Classifier:
    """The mean of several networks' probabilities (Szegedy 2014, section 7); UsageError if their labels differ."""

    members: Sequence[Member]

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("a classifier needs at least one network")
        if any(member.card.labels != self.members[0].card.labels for member in self.members):
            raise UsageError("ENSEMBLE_LABELS", "the models of an ensemble must have the same labels in the same order")

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        runtime: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = lambda message: None,
    ) -> "Classifier":
        """The classifiers in one or several checkpoints, run by `runtime`; ModelError for other files."""
        cards = [read_card(path) for path in paths]
        for path, card in zip(paths, cards, strict=True):
            if card.task != "classifier":
                raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a classifier of whole images")
        engines = [shared_engine(path, "scores", runtime, threads=threads, say=say) for path in paths]
        return cls([Member(engine, card) for engine, card in zip(engines, cards, strict=True)])

    @property
    def labels(self) -> LabelSet:
        """The K classes that all members share."""
        return self.members[0].card.label_set

    @property
    def runtimes(self) -> list[str]:
        """What runs each member; every runtime rounds in its own way."""
        return [member.engine.name for member in self.members]

    def probabilities(self, image: Image, crops: int = 1, largest: bool = False) -> NDArray[np.float64]:
        """Mean softmax [K] over the crops and then the networks, of an image uint8 [H,W,3].

        With `largest` a class has its largest probability in any crop (the paper tried it: worse), and the sum
        is no longer 1.
        """
        total = np.zeros(len(self.labels))
        seen: dict[tuple[str, bool], NDArray[np.uint8]] = {}
        for engine, card in self.members:
            look = card.resize_filter, card.squash
            if look not in seen:
                seen[look] = multicrop(image, crops, *look)
            each = softmax(engine.run(seen[look]).astype(np.float64))
            total += each.max(axis=0) if largest else each.mean(axis=0)
        return total / len(self.members)
