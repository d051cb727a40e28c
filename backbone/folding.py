"""Either architecture's arrays as plain convolutions under the paper's layer names, ready for RGB pixels 0..255.

Batch normalisation becomes part of the convolution before it, and the Card's preprocessing, but for the mean,
part of the first one.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError

from .engine import Part
from .widths import module_names

__all__ = ["Layer", "fold_layers", "layer_names", "pixel_mean"]

_BRANCHES = {
    "branch1": "branch1",
    "branch3_reduce": "branch2.0",
    "branch3": "branch2.1",
    "branch5_reduce": "branch3.0",
    "branch5": "branch3.1",
    "pool_projection": "branch4.1",
}


def layer_names(arch: str) -> dict[str, str]:
    """The convolutions of an architecture: what they are called here, and in torchvision's network of that plan."""
    return {"conv1": "conv1", "conv2_reduce": "conv2", "conv2": "conv3"} | {
        f"inception{module}.{ours}": f"inception{module}.{theirs}"
        for module in module_names(arch)
        for ours, theirs in _BRANCHES.items()
    }


_BN_EPSILON = 0.001  # torchvision's BasicConv2d


class Layer(NamedTuple):
    """Weights [out,in,k,k] of a convolution or [out,in] of a linear layer, and its bias [out]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def pixel_mean(preprocessing: Preprocessing) -> NDArray[np.float64]:
    """The RGB colour, in 0..255 though not always whole, that the network takes as zero."""
    mean = np.array(preprocessing.mean) / preprocessing.scale
    return mean[::-1] if preprocessing.order == "BGR" else mean


def fold_layers(arrays: Mapping[str, NDArray[np.float32]], card: Card, part: Part, source: str) -> dict[str, Layer]:
    """The layers that a part of a network needs, by name; ModelError if `arrays` of the file `source` lack one."""
    above = ("inception5",) if part == "trunk" else ()
    names = {}
    if part == "scores":
        names["classifier"] = "fc" if card.arch == "googlenet-bn" else "classifier"
        if card.regressed:
            names["regressor"] = "regressor"
    try:
        layers = {
            ours: _layer(arrays, ours, theirs, card)
            for ours, theirs in layer_names(card.arch).items()
            if not ours.startswith(above)
        }
        for ours, theirs in names.items():
            layers[ours] = Layer(arrays[f"{theirs}.weight"], arrays[f"{theirs}.bias"])
    except KeyError as error:
        raise ModelError("MODEL_INVALID", f"{source} lacks the tensor {error.args[0]}") from None
    _check_shapes(layers, module_names(card.arch), source)
    preprocessing = card.preprocessing
    weights, bias = layers["conv1"]
    scaled = weights * (preprocessing.scale / np.array(preprocessing.deviation))[:, None, None]
    scaled = scaled[:, ::-1] if preprocessing.order == "BGR" else scaled
    layers["conv1"] = Layer(scaled.astype(np.float32), bias)
    return layers


def _layer(arrays: Mapping[str, NDArray[np.float32]], ours: str, theirs: str, card: Card) -> Layer:
    if card.arch != "googlenet-bn":
        return Layer(arrays[f"{ours}.0.weight"], arrays[f"{ours}.0.bias"])
    weights = arrays[f"{theirs}.conv.weight"].astype(np.float64)
    gain, shift, mean, variance = (
        arrays[f"{theirs}.bn.{name}"].astype(np.float64) for name in ("weight", "bias", "running_mean", "running_var")
    )
    gain = gain / np.sqrt(variance + _BN_EPSILON)
    return Layer((weights * gain[:, None, None, None]).astype(np.float32), (shift - mean * gain).astype(np.float32))


def _check_shapes(layers: Mapping[str, Layer], modules: tuple[str, ...], source: str) -> None:
    """ModelError for the first layer that does not take what those before it give."""

    def outputs(name: str, inputs: int) -> int:
        weights, bias = layers[name]
        square = weights.ndim == 2 or (weights.ndim == 4 and weights.shape[2] == weights.shape[3])
        if not square or weights.shape[1] != inputs or bias.shape != weights.shape[:1]:
            shapes = f"{list(weights.shape)} with a bias {list(bias.shape)}"
            raise ModelError("MODEL_INVALID", f"{source}: {name} is {shapes}, and its input has {inputs} channels")
        return len(bias)

    channels = outputs("conv2", outputs("conv2_reduce", outputs("conv1", 3)))
    for module in modules:
        prefix = f"inception{module}."
        if prefix + "branch1" in layers:
            three, five = (outputs(prefix + name, channels) for name in ("branch3_reduce", "branch5_reduce"))
            channels = (
                outputs(prefix + "branch1", channels)
                + outputs(prefix + "branch3", three)
                + outputs(prefix + "branch5", five)
                + outputs(prefix + "pool_projection", channels)
            )
    for name in sorted({"classifier", "regressor"} & layers.keys()):
        outputs(name, channels)
