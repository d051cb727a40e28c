"""Layers that a training leaves as they are."""

from googlenet_rcnn.core.errors import UsageError

from .architectures import Network

__all__ = ["freeze_below"]


def freeze_below(network: Network, layer: str) -> None:
    """Leaves only the named layer and those after it to be trained; all of them for "".

    UsageError (RECIPE_VALUE) if the network has no such layer.
    """
    names = [name for name, _ in network.named_children()]
    if layer and layer not in names:
        raise UsageError("RECIPE_VALUE", f"frozen_below = {layer!r}: no such layer; there are {', '.join(names)}")
    trained = names[names.index(layer) :] if layer else names
    for name, module in network.named_children():
        module.requires_grad_(name in trained)
