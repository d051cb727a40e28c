"""MultiBox's head: for each prior a residual and a confidence, from the trunk's map of the whole image.

Erhan et al. 2014 (arXiv:1312.2249) predict all boxes by one linear layer on the last hidden layer, which takes
millions of images to train. Here every prior looks at the map through its own fixed pooling, a grid over itself
and some surroundings, and at the mean of the whole map; the layers after that are shared by all priors, so that
what is learned at one place serves at all others.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .multibox_arrays import HeadSettings, prior_pooling

__all__ = ["MultiBoxHead", "MultiBoxOutput"]


class MultiBoxOutput(NamedTuple):
    """Corners [N,K,4] in shares of the image's sides, not clipped, and confidences as logits [N,K]."""

    locations: Tensor
    logits: Tensor


class MultiBoxHead(nn.Module):
    """Residuals and confidences of K priors [K,4] on maps [N,inputs,cells,cells]."""

    priors: Tensor
    pooling: Tensor

    def __init__(self, priors: Tensor, settings: HeadSettings, inputs: int = 832, cells: int = 14) -> None:
        super().__init__()
        count, hidden = len(priors), settings.hidden
        self.scale = settings.scale
        self.register_buffer("priors", priors.float())
        pooling = prior_pooling(priors.float().numpy(), settings, cells)
        self.register_buffer("pooling", torch.from_numpy(pooling), persistent=False)
        self.reduction = nn.Linear(inputs, settings.channels)
        self.whole = nn.Linear(inputs, hidden)
        self.pooled = nn.Linear(settings.grid**2 * settings.channels, hidden, bias=False)
        self.slot = nn.Parameter(torch.zeros(count, hidden))
        self.hidden = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(hidden, 5, bias=False)
        self.bias = nn.Parameter(torch.zeros(count, 5))
        nn.init.normal_(self.output.weight, std=0.01)
        with torch.no_grad():
            self.bias[:, 4] = -4.0  # few priors have an object

    def forward(self, maps: Tensor) -> MultiBoxOutput:
        """Boxes and confidences of maps [N,C,H,W]."""
        x = maps.to(self.priors.device).flatten(2).transpose(1, 2).float()  # [N,cells,C]
        x = x * torch.rsqrt(x.square().mean(dim=(1, 2), keepdim=True) + 1e-6)
        reduced = torch.relu(self.reduction(x))
        pooled = torch.matmul(self.pooling, reduced).view(len(x), len(self.priors), self.pooled.in_features)
        features = torch.relu(self.pooled(pooled) + self.whole(x.mean(dim=1))[:, None] + self.slot)
        features = torch.relu(self.hidden(self.dropout(features)))
        out = self.output(features) + self.bias
        return MultiBoxOutput(self.priors + self.scale * out[..., :4], out[..., 4])
