"""The screening head as it is trained: class scores of boxes from the trunk's map of the whole image."""

import torch
from torch import Tensor, nn

from .screening import ScreenHeadSettings

__all__ = ["ScreenHead"]


class ScreenHead(nn.Module):
    """Logits over C+1 classes for boxes of whole images.

    Fast R-CNN (Girshick 2015, arXiv:1504.08083) pools the maxima of 7x7 bins; here a few bins hold means, which
    are products of matrices, and the mean of the whole map is added as context.
    """

    def __init__(self, classes: int, settings: ScreenHeadSettings, inputs: int = 832) -> None:
        super().__init__()
        self.reduction = nn.Linear(inputs, settings.channels)
        self.whole = nn.Linear(inputs, settings.hidden)
        self.pooled = nn.Linear(settings.grid**2 * settings.channels, settings.hidden, bias=False)
        self.geometry = nn.Linear(8, settings.hidden, bias=False)
        self.hidden = nn.Linear(settings.hidden, settings.hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(settings.hidden, classes)

    def forward(self, maps: Tensor, columns: Tensor, rows: Tensor, geometry: Tensor) -> Tensor:
        """Logits [N,n,1+C] of n boxes in each of N maps [N,C,H,W].

        `columns` [N,n,g,W], `rows` [N,n,g,H] and `geometry` [N,n,8] are the boxes' looks (`BoxLooks`).
        """
        count, boxes = geometry.shape[:2]
        x = maps.flatten(2).transpose(1, 2).float()  # [N,H*W,C]
        x = x * torch.rsqrt(x.square().mean(dim=(1, 2), keepdim=True) + 1e-6)
        bins = (rows[:, :, :, None, :, None] * columns[:, :, None, :, None, :]).flatten(4)  # [N,n,g,g,H*W]
        pooled = bins.flatten(1, 3) @ torch.relu(self.reduction(x))  # [N,n*g*g,channels]
        features = self.pooled(pooled.view(count, boxes, -1)) + self.whole(x.mean(dim=1))[:, None]
        features = torch.relu(features + self.geometry(geometry))
        features = torch.relu(self.hidden(self.dropout(features)))
        return self.output(self.dropout(features))  # type: ignore[no-any-return]
