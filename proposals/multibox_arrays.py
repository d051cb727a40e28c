"""MultiBox's head in use: what `multibox_head` has learned, as arrays and without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from googlenet_rcnn.backbone.whole_image import pooling_weights
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.recipe import Settings

__all__ = ["HeadArrays", "HeadSettings", "prior_pooling"]


class HeadSettings(Settings):
    """Shape of the head."""

    channels: int = Field(default=128, gt=0)  # what the trunk's 832 are reduced to
    hidden: int = Field(default=256, gt=0)
    grid: int = Field(default=3, gt=0)  # pooling bins a side
    context: float = Field(default=1.25, gt=0)  # side of the pooled area over side of the prior
    scale: float = Field(default=0.1, gt=0)  # what a residual of 1 moves a corner, in sides of the image
    dropout: float = Field(default=0.3, ge=0, lt=1)


def prior_pooling(priors: NDArray[np.float32], settings: HeadSettings, cells: int) -> NDArray[np.float32]:
    """How each bin of K priors [K,4] averages a map of `cells` x `cells`: weights [K*grid*grid,cells*cells]."""
    corners = priors.astype(np.float64)
    centre, half = (corners[:, :2] + corners[:, 2:]) / 2, (corners[:, 2:] - corners[:, :2]) / 2 * settings.context
    low, high = centre - half, centre + half
    along_x, along_y = (pooling_weights(low[:, a], high[:, a], settings.grid, cells) for a in (0, 1))
    pooling = np.einsum("kay,kbx->kabyx", along_y, along_x).reshape(-1, cells * cells)
    return np.asarray(pooling, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class HeadArrays:
    """Boxes and confidences of K priors [K,4] from a map [inputs,cells,cells]."""

    tensors: Mapping[str, NDArray[np.float32]]
    settings: HeadSettings
    cells: int = 14

    @classmethod
    def of(
        cls, tensors: Mapping[str, NDArray[np.float32]], settings: HeadSettings, source: str, inputs: int = 832
    ) -> "HeadArrays":
        """The head of a file `source`; ModelError names a tensor that is missing, surplus or misshapen."""
        priors = tensors.get("priors")
        if priors is None or priors.ndim != 2 or priors.shape[1] != 4:
            raise ModelError("MODEL_INVALID", f"{source} lacks the tensor head.priors [K,4]")
        expected = _shapes(len(priors), inputs, settings)
        for name, shape in expected.items():
            if name not in tensors:
                raise ModelError("MODEL_INVALID", f"{source} lacks the tensor head.{name}")
            if tensors[name].shape != shape:
                got = list(tensors[name].shape)
                raise ModelError("MODEL_INVALID", f"{source}: head.{name} is {got}, expected {list(shape)}")
        if surplus := sorted(set(tensors) - set(expected)):
            raise ModelError("MODEL_INVALID", f"{source} has a tensor that a head lacks: head.{surplus[0]}")
        return cls(tensors, settings)

    def look(self, map_: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Corners [K,4] in shares of the image's sides, not clipped, and confidences as logits [K]."""
        x = np.ascontiguousarray(map_.reshape(len(map_), -1).T)  # [cells,inputs]
        x *= 1 / np.sqrt(np.mean(np.square(x)) + 1e-6)
        reduced = self._linear("reduction", x).clip(min=0)
        pooled = (self._pooling @ reduced).reshape(len(self.tensors["priors"]), -1)
        features = self._linear("pooled", pooled) + self._linear("whole", x.mean(axis=0)) + self.tensors["slot"]
        out = self._linear("output", self._linear("hidden", features.clip(min=0)).clip(min=0)) + self.tensors["bias"]
        return self.tensors["priors"] + np.float32(self.settings.scale) * out[:, :4], out[:, 4]

    @cached_property
    def _pooling(self) -> NDArray[np.float32]:
        return prior_pooling(self.tensors["priors"], self.settings, self.cells)

    def _linear(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        out = x @ self.tensors[f"{name}.weight"].T
        bias = self.tensors.get(f"{name}.bias")
        return np.asarray(out if bias is None else out + bias)


def _shapes(count: int, inputs: int, settings: HeadSettings) -> dict[str, tuple[int, ...]]:
    channels, hidden = settings.channels, settings.hidden
    return {
        "priors": (count, 4),
        "slot": (count, hidden),
        "bias": (count, 5),
        "reduction.weight": (channels, inputs),
        "reduction.bias": (channels,),
        "whole.weight": (hidden, inputs),
        "whole.bias": (hidden,),
        "pooled.weight": (hidden, settings.grid**2 * channels),
        "hidden.weight": (hidden, hidden),
        "hidden.bias": (hidden,),
        "output.weight": (5, hidden),
    }
