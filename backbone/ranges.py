"""The largest activation of each layer on given crops, from which the scales of an int8 engine follow."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from googlenet_rcnn.core.card import Card

from .architectures import Network
from .engine_torch import run_batches
from .folding import layer_names
from .googlenet import GoogLeNet

__all__ = ["measure_ranges"]


def measure_ranges(network: Network, card: Card, crops: Iterable[NDArray[np.uint8]]) -> dict[str, float]:
    """Largest value that each layer gives, by the names of `fold_layers` and "lrn1", "lrn2".

    `crops` are batches uint8 [n,S,S,3] such as the network is trained on. ValueError if there is no crop.
    """
    largest: dict[str, float] = {}
    hooks = [module.register_forward_hook(_watch(names, largest)) for module, names in _layers(network, card.arch)]
    was_training = network.training
    network.eval()
    try:
        device = next(network.parameters()).device
        for batch in crops:
            if len(batch):
                run_batches(lambda x: network(x).main, batch, card.preprocessing, device=device)
    finally:
        for hook in hooks:
            hook.remove()
        network.train(was_training)
    if not largest:
        raise ValueError("ranges need at least one crop")
    return largest


def _layers(network: Network, arch: str) -> list[tuple[nn.Module, dict[int, str]]]:
    """Modules that end in a ReLU or an LRN, each with the layer's name by the number of channels, 0 for any."""
    paper = isinstance(network, GoogLeNet)
    names = layer_names(arch).items()
    found = [(network.get_submodule(ours if paper else theirs), {0: ours}) for ours, theirs in names]
    # One module serves both places of LRN.
    return [*found, (network.get_submodule("lrn"), {64: "lrn1", 192: "lrn2"})] if paper else found


def _watch(names: dict[int, str], largest: dict[str, float]) -> Callable[[nn.Module, Any, Tensor], None]:
    def watch(module: nn.Module, inputs: Any, output: Tensor) -> None:
        name = names[0] if 0 in names else names[output.shape[1]]
        largest[name] = max(largest.get(name, 0.0), float(output.max()))

    return watch
