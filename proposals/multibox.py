"""MultiBox (Erhan et al. 2014): one look at the whole image proposes boxes for objects of any class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from googlenet_rcnn.backbone.architectures import Network, build_network, identity
from googlenet_rcnn.backbone.checkpoint import load_weights, read_card, read_tensors
from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core import boxes as box_geometry
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Boxes, Image, Proposals, Size, as_image

from .multibox_head import HeadSettings, MultiBoxHead
from .prior_boxes import boxes_from_shares
from .views import view_pixels, whole_view

__all__ = ["NOT_TRUNK", "MultiBox", "trunk_identity"]

NOT_TRUNK = ("inception5", "classifier.", "fc.", "regressor.", "aux")
"""Tensors of a network that the trunk, everything up to 4e, does not need."""


def trunk_identity(network: Network) -> str:
    """Hash of the trunk's weights: a head works on the trunk that it was trained on and no other."""
    return identity(network, without=NOT_TRUNK)


@dataclass(frozen=True, eq=False)
class MultiBox:
    """Proposes the `count` most confident of its boxes; `nms` drops those that overlap a better one by more."""

    network: Network
    head: MultiBoxHead
    card: Card
    count: int = 200
    nms: float | None = None

    @classmethod
    def load(cls, path: Path, shipped: Callable[[], Network], count: int = 200, nms: float | None = None) -> "MultiBox":
        """The head in a checkpoint with its trunk: the one in the file if there is one, else the shipped one.

        ModelError if the file holds something else, or the head was trained on another trunk.
        """
        card = read_card(path)
        if card.task != "multibox":
            raise ModelError("MODEL_TASK", f"{path} is a {card.task}, not a MultiBox: train one with train-multibox")
        tensors = read_tensors(path)
        if own := _part(tensors, "trunk."):
            trunk = build_network(card).eval()
            rest = {name: tensor for name, tensor in trunk.state_dict().items() if name.startswith(NOT_TRUNK)}
            load_weights(trunk, rest | own, str(path))
        else:
            trunk = shipped()
        if trunk_identity(trunk) != card.trunk:
            raise ModelError("MODEL_TRUNK", f"{path} was trained on another trunk than it is used with: train it again")
        weights = _part(tensors, "head.")
        priors = weights.get("priors")
        if priors is None or priors.ndim != 2 or priors.shape[1] != 4:
            raise ModelError("MODEL_INVALID", f"{path} lacks the tensor head.priors [K,4]")
        try:
            settings = HeadSettings.model_validate(card.recipe.get("head", {}))
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            raise ModelError("MODEL_INVALID", f"the settings of the head in the card of {path}: {what}") from None
        head = MultiBoxHead(priors, settings)
        load_weights(head, weights, str(path))
        return cls(trunk, head.eval(), card, count, nms)

    def propose(self, image: Image) -> Proposals:
        """Boxes of an image [H,W,3], the most confident first; scores are confidences from 0 to 1."""
        image = as_image(image)
        size = Size(*image.shape[:2])
        crop = view_pixels(image, whole_view(size), self.card.warp_side, self.card.preprocessing.fill)
        maps = run_batches(self.network.trunk, crop[None], self.card.preprocessing)
        with torch.inference_mode():
            locations, logits = self.head(maps)
        boxes = boxes_from_shares(locations[0].numpy(), size)
        confidences = torch.sigmoid(logits[0]).numpy()
        if self.nms is None:
            order = np.argsort(-confidences, kind="stable")
        else:
            order = box_geometry.nms(boxes, confidences, self.nms)
        # In a small image, or clipped by its border, several may become the same box.
        _, first = np.unique(boxes[order], axis=0, return_index=True)
        order = order[np.sort(first)][: self.count]
        return Proposals.from_source(Boxes(boxes[order], size), confidences[order], "multibox")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
