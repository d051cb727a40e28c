"""A network as far as MultiBox needs one: it sees the mean colour of each cell, at once."""

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from googlenet_rcnn.core.card import Card

CARD = Card(labels=("a", "b"), warp_side=56, licence="CC0", provenance="drawn at random")


class StubTrunk(nn.Module):
    """Maps [N,832,14,14] that are random mixtures of the cells' colours; counts what it looked at."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.colours = nn.Conv2d(3, 832, 1)
        self.classifier = nn.Linear(2, 2)  # no part of the trunk
        self.looks = 0

    def trunk(self, x: Tensor) -> Tensor:
        """Maps of images [N,3,H,W]."""
        self.looks += len(x)
        return torch.relu(self.colours(adaptive_avg_pool2d(x / 64, 14)))
