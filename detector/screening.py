"""Screening: one pass of the trunk over the whole image gives every proposal cheap class scores.

They decide which proposals earn a crop of their own (`cascade`), and have a vote on those that do (`opinions`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.backbone.softmax import softmax
from googlenet_rcnn.backbone.whole_image import BoxLooks, look_at, squash
from googlenet_rcnn.core.card import SCREEN_PREFIX, Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Boxes, Image

__all__ = ["Screen", "ScreenHeadSettings", "vote_of"]

_CHUNK = 256  # boxes pooled at a time, so that memory does not grow with their number


class ScreenHeadSettings(Settings):
    """Shape of the head, and the side in pixels of the square that the image is squashed to."""

    side: int = Field(default=448, gt=0, multiple_of=32)
    channels: int = Field(default=192, gt=0)  # what the trunk's 832 are reduced to
    hidden: int = Field(default=384, gt=0)
    grid: int = Field(default=4, gt=0)  # pooling bins a side
    context: float = Field(default=1.25, gt=0)  # side of the pooled area over side of the box
    dropout: float = Field(default=0.3, ge=0, lt=1)

    @classmethod
    def of(cls, card: Card, source: str) -> "ScreenHeadSettings":
        """The head that the Card of a checkpoint `source` describes; ModelError if it describes none."""
        if card.screen is None:
            raise ModelError("MODEL_NO_SCREEN", f"{source} has no screening head: add one with train-screen")
        try:
            return cls.model_validate(card.screen.get("head"))
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise ModelError("MODEL_INVALID", f"the screening head in the card of {source}: {what}") from None

    @property
    def cells(self) -> int:
        """Cells of the map along a side."""
        return self.side // 16

    def looks(self, boxes: Boxes) -> BoxLooks:
        """How boxes of an image read its map."""
        return look_at(boxes, self.grid, self.context, self.cells)


@dataclass(frozen=True, eq=False)
class Screen:
    """Class scores of boxes from one look at the image; `trunk` gives the map [1,832,H,W] of a square.

    `vote`, from 0 to 1, is their share in the final scores.
    """

    trunk: Engine
    settings: ScreenHeadSettings
    tensors: Mapping[str, NDArray[np.float32]]
    vote: float = 0.0

    @classmethod
    def load(cls, path: Path, trunk: Callable[[int], Engine]) -> "Screen":
        """The screen in a detector's checkpoint; ModelError if there is none.

        `trunk` gives the engine of that part of the checkpoint's network for squares of a side in pixels.
        """
        card, source = read_card(path), str(path)
        side = ScreenHeadSettings.of(card, source).side
        return cls.of(card, read_arrays(path, SCREEN_PREFIX), trunk(side), source)

    @classmethod
    def of(cls, card: Card, arrays: Mapping[str, NDArray[np.float32]], trunk: Engine, source: str) -> "Screen":
        """The screen of a detector's checkpoint `source`; ModelError if its head is not as the Card says."""
        settings = ScreenHeadSettings.of(card, source)
        own = {
            name.removeprefix(SCREEN_PREFIX): array for name, array in arrays.items() if name.startswith(SCREEN_PREFIX)
        }
        for name, shape in _shapes(card.classes, settings).items():
            if name not in own or own[name].shape != shape:
                raise ModelError("MODEL_INVALID", f"{source}: {SCREEN_PREFIX}{name} is missing or not of shape {shape}")
        return cls(trunk, settings, own, vote_of(card, source))

    def probabilities(self, image: Image, boxes: Boxes) -> NDArray[np.float32]:
        """Probabilities [N,1+C] of the boxes of an image [H,W,3]; column 0 is background."""
        if not len(boxes):
            return np.zeros((0, len(self.tensors["output.bias"])), np.float32)
        maps = self.trunk.run(squash(image, self.settings.side)[None])[0]  # [832,H,W]
        x = np.ascontiguousarray(maps.reshape(len(maps), -1).T)
        x *= 1 / np.sqrt(np.mean(np.square(x)) + 1e-6)
        reduced = self._linear("reduction", x).clip(min=0).reshape(self.settings.cells, self.settings.cells, -1)
        across = np.ascontiguousarray(reduced.transpose(1, 0, 2)).reshape(self.settings.cells, -1)  # [W,H*channels]
        whole = self._linear("whole", x.mean(axis=0))
        return np.concatenate(
            [self._scores(boxes[first : first + _CHUNK], across, whole) for first in range(0, len(boxes), _CHUNK)]
        )

    def _scores(self, boxes: Boxes, across: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
        looks = self.settings.looks(boxes)
        count, grid, cells = looks.columns.shape
        means = (looks.columns.reshape(-1, cells) @ across).reshape(count, grid, cells, -1)  # [n,grid,H,channels]
        lines = np.ascontiguousarray(means.transpose(0, 2, 1, 3)).reshape(count, cells, -1)  # [n,H,grid*channels]
        pooled = looks.rows @ lines  # [n,grid,grid*channels]
        features = (
            self._linear("pooled", pooled.reshape(count, -1)) + whole + self._linear("geometry", looks.geometry)
        ).clip(min=0)
        logits = self._linear("output", self._linear("hidden", features).clip(min=0))
        return softmax(logits)

    def _linear(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        out = x @ self.tensors[f"{name}.weight"].T
        bias = self.tensors.get(f"{name}.bias")
        return np.asarray(out if bias is None else out + bias)


def vote_of(card: Card, source: str) -> float:
    """The share of screening in final scores that the Card of `source` tells; ModelError if it has no meaning."""
    vote = (card.screen or {}).get("vote", 0.0)
    if not (isinstance(vote, float | int) and 0 <= vote <= 1):
        raise ModelError("MODEL_INVALID", f"the vote of screening in the card of {source} is not from 0 to 1: {vote}")
    return float(vote)


def _shapes(classes: int, settings: ScreenHeadSettings) -> dict[str, tuple[int, ...]]:
    channels, hidden = settings.channels, settings.hidden
    return {
        "reduction.weight": (channels, 832),
        "reduction.bias": (channels,),
        "whole.weight": (hidden, 832),
        "whole.bias": (hidden,),
        "pooled.weight": (hidden, settings.grid**2 * channels),
        "geometry.weight": (hidden, 8),
        "hidden.weight": (hidden, hidden),
        "hidden.bias": (hidden,),
        "output.weight": (classes, hidden),
        "output.bias": (classes,),
    }
