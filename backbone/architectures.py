"""The architectures a Card can name, and a network with its weights from a checkpoint."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from googlenet_rcnn.core.card import Card

from .checkpoint import load_weights, read_card, read_tensors
from .googlenet import GoogLeNet
from .googlenet_bn import GoogLeNetBN

__all__ = ["Loaded", "Network", "build_network", "identity", "load_network"]

Network = GoogLeNet | GoogLeNetBN


class Loaded(NamedTuple):
    """A network in evaluation mode and the Card it came with."""

    network: Network
    card: Card


def build_network(card: Card) -> Network:
    """A network of the Card's architecture with freshly drawn weights, channels last in memory."""
    build = GoogLeNet if card.arch == "googlenet" else GoogLeNetBN
    network: Network = build(card.classes, heads=card.heads, regressed=card.regressed)
    network.to(memory_format=torch.channels_last)
    return network


def load_network(path: Path) -> Loaded:
    """Network and Card of a checkpoint; ModelError if either is unusable."""
    card = read_card(path)
    network = build_network(card)
    load_weights(network, read_tensors(path), str(path))
    return Loaded(network.eval(), card)


def identity(module: nn.Module, without: str | tuple[str, ...] = ()) -> str:
    """SHA-256 over the names and values of a module's tensors, leaving out names beginning with `without`."""
    total = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        if not name.startswith(without):
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()
