"""Numbers of a graph as bytes: activations 0..255 with a scale each, weights -63..63 with a scale a channel.

The scales of activations follow from the largest value of each layer (min-max, Jacob et al. 2018,
arXiv:1712.05877), which the Card keeps, so building needs no pictures. Nodes QuantizeLinear and
DequantizeLinear say where to round; the engine computes with bytes in between.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ModelError

from .folding import Layer
from .nodes import Nodes

__all__ = ["ByteNumbers"]

# Seven bits: without VNNI a processor adds products of bytes in pairs and clips the sums to 16 bits, which
# 2 * 255 * 63 just fits. With eight bits the twin's best class moves by 0.049 on average instead of 0.010.
_LARGEST_WEIGHT = 63


@dataclass(frozen=True)
class ByteNumbers:
    """Bytes with scales from `ranges`, the largest activation by layer."""

    ranges: dict[str, float]

    def first_sums(self, nodes: Nodes, layer: Layer, mean: NDArray[np.float64]) -> str:
        """The first convolution on pixels as they are; the mean colour moves into its bias.

        The border is of the mean colour, rounded, so that it counts as nothing there too.
        """
        planes = nodes.node("Transpose", ["pixels"], "planes", perm=[0, 3, 1, 2])
        colours = nodes.split(planes, ["red", "green", "blue"], axis=1)
        border = nodes.constant("border", np.array([0, 0, 3, 3, 0, 0, 3, 3], dtype=np.int64))
        padded = [
            nodes.node("Pad", [colour, border, nodes.constant(f"{colour}.mean", value)], f"{colour}.padded")
            for colour, value in zip(colours, np.rint(mean).astype(np.uint8), strict=True)
        ]
        x = nodes.node("Concat", padded, "padded_pixels", axis=1)
        one, zero = nodes.constant("pixel.scale", np.float32(1)), nodes.constant("pixel.zero", np.uint8(0))
        x = nodes.node("DequantizeLinear", [x, one, zero], "float_pixels")
        rounded, scale = _round(layer.weights)
        weights = rounded * scale[:, None, None, None].astype(np.float64)
        bias = layer.bias - (weights * mean[:, None, None]).sum(axis=(1, 2, 3))
        inputs = [x, self.weights(nodes, "conv1", layer), nodes.constant("conv1.bias", bias.astype(np.float32))]
        return nodes.node("Conv", inputs, "conv1.sums", strides=[2, 2], kernel_shape=[7, 7])

    def weights(self, nodes: Nodes, name: str, layer: Layer) -> str:
        """Weights as bytes with a scale for each output channel."""
        rounded, scale = _round(layer.weights)
        parts = [
            nodes.constant(f"{name}.weight_bytes", rounded),
            nodes.constant(f"{name}.weight_scale", scale),
            nodes.constant(f"{name}.weight_zero", np.zeros(len(scale), np.int8)),
        ]
        return nodes.node("DequantizeLinear", parts, f"{name}.weights", axis=0)

    def activations(self, nodes: Nodes, tensor: str, layers: tuple[str, ...]) -> str:
        """The tensor rounded to bytes whose scale suits all these layers."""
        try:
            largest = max(self.ranges[layer] for layer in layers)
        except KeyError as error:
            raise ModelError(
                "MODEL_NO_RANGES", f"the card's ranges lack the layer {error.args[0]}: measure them again"
            ) from None
        scale = nodes.constant(f"{tensor}.scale", np.float32(max(largest, 1e-6) / 255))
        zero = nodes.constant("zero", np.uint8(0))
        rounded = nodes.node("QuantizeLinear", [tensor, scale, zero], f"{tensor}.bytes")
        return nodes.node("DequantizeLinear", [rounded, scale, zero], f"{tensor}.rounded")


def _round(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Weights [out,in,k,k] as whole numbers, and what each output channel's are to be multiplied by."""
    largest = np.abs(weights).max(axis=(1, 2, 3))
    scale = (np.maximum(largest, 1e-12) / _LARGEST_WEIGHT).astype(np.float32)
    rounded = np.rint(weights / scale[:, None, None, None])
    return np.clip(rounded, -_LARGEST_WEIGHT, _LARGEST_WEIGHT).astype(np.int8), scale
