"""The settings of the training loop, and the learning rate that they give each step."""

import math
from typing import Literal

from pydantic import Field

from googlenet_rcnn.core.recipe import Settings

from .precision import Precision

__all__ = ["FREE", "TrainSettings", "rate_at"]

FREE = frozenset({"workers", "checkpoint_minutes", "accumulate", "epochs", "nan"})
"""Settings that a run may change when it goes on: what it has learned stays that of its other settings."""


class TrainSettings(Settings):
    """SGD with momentum, a falling rate and averaged weights (Szegedy 2014, section 6)."""

    epochs: float = Field(default=1.0, ge=0)
    batch: int = Field(default=64, gt=0)
    accumulate: int = Field(default=1, gt=0)  # parts a batch is cut into to save memory; the result is the same
    rate: float = Field(default=0.01, gt=0)
    schedule: Literal["cosine", "steps"] = "cosine"
    decay: float = Field(default=0.96, gt=0, le=1)  # "steps": the rate falls by 4 % ...
    decay_epochs: float = Field(default=8.0, gt=0)  # ... every 8 epochs
    bias_rate: float = Field(default=2.0, gt=0)  # biases learn twice as fast as weights, as in Caffe
    warmup: int = Field(default=0, ge=0)  # steps
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    average: float = Field(default=0.0, ge=0, lt=1)  # decay of the running mean of weights (Polyak); 0: none
    clip: float = Field(default=0.0, ge=0)  # largest norm of the gradient; 0: no limit
    nan: Literal["stop", "rollback"] = "stop"  # where a loss is no number: end, or go back and halve the rate
    precision: Precision = "fp32"
    workers: int = Field(default=0, ge=0)
    checkpoint_minutes: float = Field(default=5.0, ge=0)


def rate_at(step: int, steps: int, per_epoch: float, settings: TrainSettings) -> float:
    """Learning rate of a step; "steps" lowers it by 4 % every 8 epochs as the paper does."""
    if step < settings.warmup:
        return settings.rate * (step + 1) / settings.warmup
    if settings.schedule == "steps":
        return settings.rate * settings.decay ** math.floor(step / per_epoch / settings.decay_epochs)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * step / steps))
