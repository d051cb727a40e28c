"""MultiBox (Erhan et al. 2014): one look at the whole image proposes boxes for objects of any class."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from googlenet_rcnn.backbone.checkpoint import HEAD_PREFIX, network_part, read_arrays, read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.backbone.trunk import trunk_identity, trunk_names
from googlenet_rcnn.core import boxes as box_geometry
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.core.types import Boxes, Image, Proposals, Size, as_image

from .multibox_arrays import HeadArrays, HeadSettings
from .prior_boxes import boxes_from_shares
from .views import view_pixels, whole_view

__all__ = ["MultiBox"]


@dataclass(frozen=True, eq=False)
class MultiBox:
    """Proposes the `count` most confident of its boxes; `nms` drops those that overlap a better one by more."""

    trunk: Engine = field(repr=False)
    head: HeadArrays = field(repr=False)
    card: Card = field(repr=False)
    count: int = 200
    nms: float | None = None
    source: str = ""
    """SHA-256 of the file it was loaded from: by this what is made of its boxes is kept apart."""

    @classmethod
    def load(
        cls,
        path: Path,
        trunk: Path,
        ready: Callable[[], Engine],
        count: int = 200,
        nms: float | None = None,
    ) -> "MultiBox":
        """The head in a checkpoint, with the trunk in the same file or another, of which `ready` makes an engine.

        ModelError if the file holds something else, or the head was trained on another trunk.
        """
        card = read_card(path)
        if card.task != "multibox":
            raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a MultiBox: train one with train-multibox")
        arrays = read_arrays(path)
        try:
            settings = HeadSettings.model_validate(card.recipe.get("head", {}))
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise ModelError("MODEL_INVALID", f"the settings of the head in the card of {path}: {what}") from None
        weights = {n.removeprefix(HEAD_PREFIX): a for n, a in arrays.items() if n.startswith(HEAD_PREFIX)}
        head = HeadArrays.of(weights, settings, str(path))
        layers = network_part(arrays, card) if trunk == path else read_arrays(trunk)
        if trunk == path and (surplus := sorted(set(layers) - set(trunk_names(card.arch)))):
            raise ModelError("MODEL_INVALID", f"{path} has a tensor that a trunk lacks: {surplus[0]}")
        if trunk_identity(layers, card.arch, str(trunk)) != card.trunk:
            raise ModelError("MODEL_TRUNK", f"{path} was trained on another trunk than it is used with: train it again")
        return cls(ready(), head, card, count, nms, digest(path))

    def propose(self, image: Image) -> Proposals:
        """Boxes of an image [H,W,3], the most confident first; scores are confidences from 0 to 1."""
        image = as_image(image)
        size = Size(*image.shape[:2])
        crop = view_pixels(image, whole_view(size), self.card.warp_side, self.card.preprocessing.fill)
        locations, logits = self.head.look(self.trunk.run(crop[None])[0])
        boxes = boxes_from_shares(locations, size)
        confidences = np.exp(-np.logaddexp(np.float32(0), -logits))  # the logistic function, without overflow
        if self.nms is None:
            order = np.argsort(-confidences, kind="stable")
        else:
            order = box_geometry.nms(boxes, confidences, self.nms)
        # In a small image, or clipped by its border, several may become the same box.
        _, first = np.unique(boxes[order], axis=0, return_index=True)
        order = order[np.sort(first)][: self.count]
        return Proposals.from_source(Boxes(boxes[order], size), confidences[order], "multibox")
