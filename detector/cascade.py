"""Which proposals earn a pass through the network: those that a screening look at the whole image cannot rule out.

Selective Search proposes every object many times over. Screening gives each proposal class scores for a
thousandth of a crop's price; of the boxes of one class that overlap much, only the best by those scores goes on.
The survivors are scored exactly as in exhaustive mode, which scores every proposal; the rest keep a share of what
screening said.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Boxes

__all__ = ["CascadeSettings"]


class CascadeSettings(Settings):
    """When a proposal is worth a crop; learned on images that the detector has not seen (`make learn-cascade`)."""

    doubt: float = Field(default=0.03, ge=0, le=1)  # least screening probability of a class
    overlap: float = Field(default=0.6, gt=0, le=1)  # boxes of a class that overlap a better one by more are left out
    limit: int = Field(default=150, gt=0)  # most crops of an image, the best by screening
    trust: float = Field(default=0.3, ge=0, le=1)  # share of its screening probability that a box without crop keeps

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

    def unscored(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is believed of boxes that get no crop, from their screening probabilities [N,1+C].

        Not that they are background: a little of what the look at the whole image said, so that they rank after
        what has been looked at closely and before nothing.
        """
        believed = self.trust * probabilities
        believed[:, 0] = 1 - believed[:, 1:].sum(axis=1)
        return believed
