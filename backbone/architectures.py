"""The architectures a Card can name, and a network with its weights from a checkpoint."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from googlenet_rcnn.core.card import Card

from .checkpoint import network_part, read_card
from .googlenet import GoogLeNet
from .googlenet_bn import GoogLeNetBN
from .trunk import NOT_TRUNK
from .weights import load_weights, read_tensors
from .widths import widths_of

__all__ = ["Loaded", "Network", "build_network", "identity", "load_network", "take_layers"]

Network = GoogLeNet | GoogLeNetBN


class Loaded(NamedTuple):
    """A network in evaluation mode and the Card it came with."""

    network: Network
    card: Card


def build_network(card: Card) -> Network:
    """A network of the Card's architecture with freshly drawn weights, channels last in memory."""
    network: Network
    if card.arch == "googlenet-bn":
        network = GoogLeNetBN(card.classes, heads=card.heads, regressed=card.regressed)
    else:
        network = GoogLeNet(card.classes, card.heads, card.regressed, widths_of(card.arch))
    network.to(memory_format=torch.channels_last)
    return network


def load_network(path: Path) -> Loaded:
    """Network and Card of a checkpoint, without heads beside it; ModelError if either is unusable.

    A MultiBox's own network is a trunk: what comes after it is drawn at random.
    """
    card = read_card(path)
    network = build_network(card)
    tensors = network_part(read_tensors(path), card)
    if card.task == "multibox":
        tensors |= {name: value for name, value in network.state_dict().items() if name.startswith(NOT_TRUNK)}
    load_weights(network, tensors, str(path))
    return Loaded(network.eval(), card)


def identity(module: nn.Module, without: str | tuple[str, ...] = ()) -> str:
    """SHA-256 over the names and values of a module's tensors, leaving out names beginning with `without`."""
    total = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        if not name.startswith(without):
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


def take_layers(network: nn.Module, source: nn.Module, without: str | tuple[str, ...] = ()) -> set[str]:
    """Copies the tensors that both have into `network`, leaving out names beginning with `without`; their names."""
    names = network.state_dict().keys()
    taken = {
        name: tensor for name, tensor in source.state_dict().items() if name in names and not name.startswith(without)
    }
    network.load_state_dict(taken, strict=False)
    return set(taken)
