"""How much of an object a training window counts for."""

from typing import NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from googlenet_rcnn.core.recipe import Settings

__all__ = ["OverlapTargets", "Target", "overlap_loss"]


class Target(NamedTuple):
    """The class of the nearest object (1 + label), and how much of it the window is, 0 to 1; the rest is background."""

    label: int
    share: float


class OverlapTargets(Settings):
    """A window is background up to one overlap with its object, an object from another, and in between partly both.

    A share that grows with the overlap teaches the softmax itself to prefer the tighter box. Both values at 0.5
    are R-CNN's rule; it scores loose boxes as high as tight ones, which R-CNN mends by SVMs trained on tight
    ones alone (arXiv:1311.2524, appendix B).
    """

    background: float = Field(default=0.3, ge=0, le=1)
    object: float = Field(default=0.7, gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> "OverlapTargets":
        if self.background > self.object:
            raise ValueError("background must not exceed object")
        return self

    def target(self, label: int, overlap: float) -> Target:
        """The target of a window that overlaps an object of class `label` (1 + its label) by `overlap`."""
        if overlap >= self.object:
            return Target(label, 1.0)
        if overlap <= self.background:
            return Target(label, 0.0)
        return Target(label, (overlap - self.background) / (self.object - self.background))


def overlap_loss(logits: Tensor, targets: list[Target]) -> Tensor:
    """Cross-entropy of logits [n,1+C] with targets, summed; column 0 is background."""
    logs = torch.log_softmax(logits.float(), dim=1)
    labels = torch.tensor([target.label for target in targets])
    shares = torch.tensor([target.share for target in targets])
    objects = logs.gather(1, labels[:, None]).squeeze(1)
    return -(shares * objects + (1 - shares) * logs[:, 0]).sum()
