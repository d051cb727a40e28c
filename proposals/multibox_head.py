"""MultiBox's head: for each prior a residual and a confidence, from the trunk's map of the whole image.

Erhan et al. 2014 (arXiv:1312.2249) predict all boxes by one linear layer on the last hidden layer, which takes
millions of images to train. Here every prior looks at the map through its own fixed pooling, a grid over itself
and some surroundings, and at the mean of the whole map; the layers after that are shared by all priors, so that
what is learned at one place serves at all others.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from googlenet_rcnn.core.recipe import Settings

__all__ = ["HeadSettings", "MultiBoxHead", "MultiBoxOutput", "pooling_weights"]

_SAMPLES = 4  # points a side of a pooling bin at which the map is interpolated


class HeadSettings(Settings):
    """Shape of the head."""

    channels: int = Field(default=128, gt=0)  # what the trunk's 832 are reduced to
    hidden: int = Field(default=256, gt=0)
    grid: int = Field(default=3, gt=0)  # pooling bins a side
    context: float = Field(default=1.25, gt=0)  # side of the pooled area over side of the prior
    scale: float = Field(default=0.1, gt=0)  # what a residual of 1 moves a corner, in sides of the image
    dropout: float = Field(default=0.3, ge=0, lt=1)


class MultiBoxOutput(NamedTuple):
    """Corners [N,K,4] in shares of the image's sides, not clipped, and confidences as logits [N,K]."""

    locations: Tensor
    logits: Tensor


def pooling_weights(low: NDArray[np.float64], high: NDArray[np.float64], grid: int, cells: int) -> NDArray[np.float64]:
    """Weights [K,grid,cells] that average a row of `cells` over the bins of intervals [K] in 0..1.

    The row is interpolated linearly between the cells' centres and goes on flat beyond the outermost.
    """
    steps = (np.arange(grid * _SAMPLES) + 0.5) / (grid * _SAMPLES)
    points = low[:, None] + (high - low)[:, None] * steps  # [K,grid*samples]
    place = np.clip(points * cells - 0.5, 0, cells - 1)[..., None]
    weights = np.maximum(0, 1 - np.abs(place - np.arange(cells)))
    return np.asarray(weights.reshape(len(low), grid, _SAMPLES, cells).mean(axis=2))


class MultiBoxHead(nn.Module):
    """Residuals and confidences of K priors [K,4] on maps [N,inputs,cells,cells]."""

    priors: Tensor
    pooling: Tensor

    def __init__(self, priors: Tensor, settings: HeadSettings, inputs: int = 832, cells: int = 14) -> None:
        super().__init__()
        count, hidden = len(priors), settings.hidden
        self.scale = settings.scale
        self.register_buffer("priors", priors.float())
        corners = priors.double().numpy()
        centre, half = (corners[:, :2] + corners[:, 2:]) / 2, (corners[:, 2:] - corners[:, :2]) / 2 * settings.context
        low, high = centre - half, centre + half
        along_x, along_y = (pooling_weights(low[:, a], high[:, a], settings.grid, cells) for a in (0, 1))
        pooling = np.einsum("kay,kbx->kabyx", along_y, along_x).reshape(-1, cells * cells)
        self.register_buffer("pooling", torch.from_numpy(pooling).float(), persistent=False)
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
