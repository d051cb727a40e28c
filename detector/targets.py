"""What the network should answer for a training window, and the loss of another answer."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from googlenet_rcnn.core.recipe import Settings

__all__ = ["OverlapTargets", "Targets", "overlap_loss", "regression_loss"]


class Targets(NamedTuple):
    """Of n windows: the classes of their objects (1 + label) int64 [n], how much of an object each counts for,
    0 to 1 (the rest is background) float32 [n], offsets to the objects float32 [n,4], and which windows see
    enough of one to learn those, bool [n].
    """

    labels: Tensor
    shares: Tensor
    offsets: Tensor
    regressed: Tensor

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        return Targets(*(part.to(device, non_blocking=True) for part in self))


class OverlapTargets(Settings):
    """A window is background up to one overlap with its object, an object from another, and in between partly both.

    A share that grows with the overlap teaches the softmax itself to prefer the tighter box. Both values at 0.5
    are R-CNN's rule; it scores loose boxes as high as tight ones, which R-CNN mends by SVMs trained on tight
    ones alone (arXiv:1311.2524, appendix B).
    """

    background: float = Field(default=0.3, ge=0, le=1)
    object: float = Field(default=0.7, gt=0, le=1)
    regression: float = Field(default=0.5, gt=0, le=1)  # windows of at least this overlap learn where the object is

    @model_validator(mode="after")
    def _ordered(self) -> "OverlapTargets":
        if self.background > self.object:
            raise ValueError("background must not exceed object")
        return self

    def shares(self, overlaps: NDArray[np.float64]) -> NDArray[np.float32]:
        """How much of an object windows that overlap it so much [n] count for, 0 to 1."""
        if self.background == self.object:
            return (overlaps >= self.object).astype(np.float32)
        return ((overlaps - self.background) / (self.object - self.background)).clip(0, 1).astype(np.float32)

    def targets(
        self, labels: NDArray[np.int64], overlaps: NDArray[np.float64], offsets: NDArray[np.float32]
    ) -> Targets:
        """Targets of windows that overlap objects of classes `labels` [n] (1 + label) by `overlaps` [n]."""
        regressed = (overlaps >= self.regression) & (labels > 0)
        parts = (labels, self.shares(overlaps), np.ascontiguousarray(offsets, np.float32), regressed)
        return Targets(*(torch.from_numpy(part) for part in parts))


def overlap_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy of logits [n,1+C] with targets, summed; column 0 is background."""
    logs = torch.log_softmax(logits.float(), dim=1)
    objects = logs.gather(1, targets.labels[:, None]).squeeze(1)
    return -(targets.shares * objects + (1 - targets.shares) * logs[:, 0]).sum()


def regression_loss(offsets: Tensor, targets: Targets) -> Tensor:
    """Smooth L1 between offsets [n,4C] for the windows' own classes and the targets, summed (Girshick 2015)."""
    rows = torch.arange(len(offsets), device=offsets.device)
    own = offsets.float().view(len(offsets), -1, 4)[rows, (targets.labels - 1).clamp(min=0)]
    loss = functional.smooth_l1_loss(own, targets.offsets, reduction="none").sum(dim=1)
    return (loss * targets.regressed).sum()
