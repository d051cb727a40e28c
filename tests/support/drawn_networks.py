"""Checkpoints of both architectures with weights drawn at random, and pixels for them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from googlenet_rcnn.backbone.architectures import Network, build_network
from googlenet_rcnn.backbone.ranges import measure_ranges
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card, Preprocessing

PAPER = Card(labels=("cat", "dog"), task="detector", box_regression=True)
NORMALISED = Card(
    arch="googlenet-bn",
    labels=("cat", "dog", "cow"),
    preprocessing=Preprocessing(order="RGB", scale=1 / 255, mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.4, 0.3)),
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A network in evaluation mode, its Card with ranges, and the file that holds both."""

    path: Path
    network: Network
    card: Card

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}


def pixels(count: int, height: int = 224, width: int = 224, seed: int = 0) -> np.ndarray:
    """Coarse patches of colour with noise: uint8 [count,height,width,3]."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (count, height // 32, width // 32, 3)).repeat(32, axis=1).repeat(32, axis=2)
    return np.clip(patches + random.normal(0, 20, patches.shape), 0, 255).astype(np.uint8)


def draw(folder: Path, card: Card = PAPER, seed: int = 0) -> Drawn:
    """A checkpoint in `folder`; the ranges are those of a few crops."""
    torch.manual_seed(seed)
    network = build_network(card).eval()
    with torch.no_grad():
        for name, value in network.named_buffers():  # batch normalisation that does something
            if value.is_floating_point():
                value.uniform_(0.5, 1.5) if "var" in name else value.normal_(0, 0.1)
    card = card.model_copy(update={"ranges": measure_ranges(network, card, [pixels(4, seed=seed + 1)])})
    path = folder / f"drawn-{card.arch}-{seed}.safetensors"
    save_weights(path, network.state_dict(), card)
    return Drawn(path, network, card)
