"""The trunk, everything up to the map of 4e: which tensors it is made of, and a hash that tells it from others."""

import hashlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ModelError

from .folding import layer_names

__all__ = ["NOT_TRUNK", "trunk_identity", "trunk_names"]

NOT_TRUNK = ("inception5", "classifier.", "fc.", "regressor.", "aux")
"""Begin the names of a network's tensors that the trunk does not need."""

_PAPER = ("0.weight", "0.bias")
_NORMALISED = (
    "conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked",
)  # fmt: skip


def trunk_names(arch: str) -> tuple[str, ...]:
    """Names of the trunk's tensors, in the order in which the network defines them."""
    names = layer_names(arch)
    layers, kinds = (names.values(), _NORMALISED) if arch == "googlenet-bn" else (names.keys(), _PAPER)
    return tuple(f"{layer}.{kind}" for layer in layers if not layer.startswith(NOT_TRUNK) for kind in kinds)


def trunk_identity(arrays: Mapping[str, NDArray[Any]], arch: str, source: str) -> str:
    """SHA-256 over the names and values of the trunk in `arrays` of the file `source`; ModelError if one is missing.

    A head works on the trunk that it was trained on and no other. It is what `identity` says of the network
    without NOT_TRUNK.
    """
    total = hashlib.sha256()
    for name in trunk_names(arch):
        if name not in arrays:
            raise ModelError("MODEL_INVALID", f"{source} lacks the tensor {name}")
        total.update(name.encode())
        total.update(arrays[name].tobytes())
    return total.hexdigest()
