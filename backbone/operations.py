"""How much a network computes, from the shapes of its weights: what a measured speed is held against."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.card import SCREEN_PREFIX

__all__ = ["multiply_adds"]

# By how much the map of a layer is smaller than the input (Table 1 of Szegedy 2014); both architectures agree.
_STRIDES = {"conv1": 2, "conv2_reduce": 4, "conv2": 4, "conv3": 4, "inception3": 8, "inception4": 16, "inception5": 32}


def multiply_adds(arrays: Mapping[str, NDArray[np.generic]], side: int = 224) -> int:
    """Multiplications, each with its addition, that the main branch needs for one crop of `side` x `side` pixels.

    Convolutions and linear layers count; biases, normalisation, pooling and heads beside the network do not.
    """
    total = 0
    for name, weights in arrays.items():
        layer = re.sub(r"^(inception\d)[a-e]$", r"\1", name.split(".")[0])
        if name.startswith(("aux", SCREEN_PREFIX)) or weights.ndim not in (2, 4):
            continue
        positions = (side // _STRIDES[layer]) ** 2 if weights.ndim == 4 else 1
        total += positions * int(np.prod(weights.shape))
    return total
