"""Which proposals earn a pass through the network: those that a screening look at the whole image cannot rule out.

Selective Search proposes every object many times over. Screening gives each proposal class scores for a
thousandth of a crop's price; of the boxes of one class that overlap much, only the best by those scores goes on.
The survivors are scored exactly as in exhaustive mode, which scores every proposal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.card import SCREEN_PREFIX, Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Boxes, Image

from .screening import Screen, ScreenHeadSettings

__all__ = ["Cascade", "CascadeSettings"]


class CascadeSettings(Settings):
    """When a proposal is worth a crop; learned on images that the detector has not seen (`make learn-cascade`)."""

    doubt: float = Field(default=0.08, ge=0, le=1)  # least screening probability of a class
    overlap: float = Field(default=0.6, gt=0, le=1)  # boxes of a class that overlap a better one by more are left out
    limit: int = Field(default=150, gt=0)  # most crops of an image, the best by screening

    @classmethod
    def of(cls, card: Card, source: str) -> "CascadeSettings":
        """The settings in the Card of a checkpoint `source`; ModelError if they have no meaning."""
        try:
            return cls.model_validate((card.screen or {}).get("cascade", {}))
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise ModelError("MODEL_INVALID", f"the cascade in the card of {source}: {what}") from None

    def choose(self, boxes: Boxes, probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
        """Rows, rising, of the boxes that screening probabilities [N,1+C] let through.

        The best box of an image is always among them, so that an image is never judged without a crop. Raises
        ValueError for a probability that is not finite: a broken network must not pass for one that saw nothing.
        """
        if not np.isfinite(probabilities).all():
            raise ValueError("screening probabilities must be finite")
        objects = probabilities[:, 1:]
        worth = np.full(len(boxes), -1.0, dtype=np.float32)  # less than any probability: not chosen
        if len(boxes):
            best = int(objects.max(axis=1).argmax())
            worth[best] = objects[best].max()
        for column in objects.T:
            rows = np.flatnonzero(column >= self.doubt)
            kept = rows[nms(boxes.coordinates[rows], column[rows], self.overlap)]
            worth[kept] = np.maximum(worth[kept], column[kept])
        chosen = np.argsort(-worth, kind="stable")[: self.limit]
        return np.sort(chosen[worth[chosen] >= 0])


@dataclass(frozen=True, eq=False)
class Cascade:
    """Screening and the choice that follows from it."""

    screen: Screen
    settings: CascadeSettings = field(default_factory=CascadeSettings)

    @classmethod
    def load(cls, path: Path, trunk: Callable[[int], Engine]) -> "Cascade":
        """The cascade in a detector's checkpoint; ModelError if there is none.

        `trunk` gives the engine of that part of the checkpoint's network for squares of a side in pixels.
        """
        card, source = read_card(path), str(path)
        settings, head = CascadeSettings.of(card, source), ScreenHeadSettings.of(card, source)
        return cls(Screen.of(card, read_arrays(path, SCREEN_PREFIX), trunk(head.side), source), settings)

    def survivors(self, image: Image, boxes: Boxes) -> NDArray[np.int64]:
        """Rows, rising, of the boxes of an image [H,W,3] that are worth a crop."""
        return self.settings.choose(boxes, self.screen.probabilities(image, boxes))
