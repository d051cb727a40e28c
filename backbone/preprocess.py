"""From uint8 crops to the network's input, as the Card says."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from googlenet_rcnn.core.card import Preprocessing

__all__ = ["to_input"]


def to_input(crops: NDArray[np.uint8] | Tensor, preprocessing: Preprocessing) -> Tensor:
    """Float32 [N,3,H,W], channels last in memory, of RGB crops uint8 [N,H,W,3], where the crops are."""
    pixels = torch.as_tensor(crops).permute(0, 3, 1, 2).float()
    if preprocessing.order == "BGR":
        pixels = pixels.flip(1)
    if preprocessing.scale != 1.0:
        pixels = pixels * preprocessing.scale
    pixels = pixels - torch.tensor(preprocessing.mean, device=pixels.device).view(3, 1, 1)
    if preprocessing.deviation != (1.0, 1.0, 1.0):
        pixels = pixels / torch.tensor(preprocessing.deviation, device=pixels.device).view(3, 1, 1)
    return pixels.contiguous(memory_format=torch.channels_last)
