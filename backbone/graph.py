"""GoogLeNet as an ONNX graph, built from arrays: what inference engines other than torch run.

Pixels go in as they are; order of colours, scale and mean are inside. One file, no external data.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError

from .engine import Part
from .folding import Layer, fold_layers, pixel_mean
from .nodes import Nodes
from .quantisation import ByteNumbers
from .widths import module_names

__all__ = ["FloatNumbers", "Numbers", "build_graph"]

_OUTPUTS = ("branch1", "branch3", "branch5", "pool_projection")


class Numbers(Protocol):
    """How a graph holds its numbers."""

    def first_sums(self, nodes: Nodes, layer: Layer, mean: NDArray[np.float64]) -> str:
        """The first convolution, before its ReLU, of "pixels" uint8 [N,H,W,3] less the mean colour."""
        ...

    def weights(self, nodes: Nodes, name: str, layer: Layer) -> str:
        """The weights of a layer."""
        ...

    def activations(self, nodes: Nodes, tensor: str, layers: tuple[str, ...]) -> str:
        """A tensor in the precision in which it is handed on; it holds what these layers give, none negative."""
        ...


class FloatNumbers:
    """Everything in float32."""

    def first_sums(self, nodes: Nodes, layer: Layer, mean: NDArray[np.float64]) -> str:
        """See Numbers."""
        x = nodes.node("Cast", ["pixels"], "float_pixels", to=1)
        x = nodes.node("Sub", [x, nodes.constant("mean", mean.astype(np.float32))], "centred_pixels")
        x = nodes.node("Transpose", [x], "planes", perm=[0, 3, 1, 2])
        weights, bias = self.weights(nodes, "conv1", layer), nodes.constant("conv1.bias", layer.bias)
        return nodes.node("Conv", [x, weights, bias], "conv1.sums", strides=[2, 2], pads=[3] * 4, kernel_shape=[7, 7])

    def weights(self, nodes: Nodes, name: str, layer: Layer) -> str:
        """See Numbers."""
        return nodes.constant(f"{name}.weights", layer.weights)

    def activations(self, nodes: Nodes, tensor: str, layers: tuple[str, ...]) -> str:
        """See Numbers."""
        return tensor


def build_graph(
    arrays: Mapping[str, NDArray[np.float32]],
    card: Card,
    part: Part = "scores",
    sides: tuple[int, int] = (224, 224),
    *,
    quantised: bool = False,
    banded: bool = False,
    source: str = "the checkpoint",
) -> bytes:
    """The ONNX model of a part of a network on "pixels" uint8 [N,H,W,3], `sides` = (H, W).

    `quantised` takes the scales of bytes from the Card's ranges; ModelError (MODEL_NO_RANGES) if it has none.
    `banded` writes LRN as a convolution, faster in ONNX Runtime. ValueError for sides that do not fit the part.
    """
    height, width = sides
    crop = card.crop_side
    if part != "trunk" and sides != (crop, crop):
        raise ValueError(f"{part} are those of crops of {crop}x{crop} pixels, not {height}x{width}")
    if min(sides) < 32 or height % 32 or width % 32:
        raise ValueError(f"sides are multiples of 32, got {height}x{width}")
    layers = fold_layers(arrays, card, part, source)
    numbers = ByteNumbers(_ranges(card, source)) if quantised else FloatNumbers()
    graph = _Graph(Nodes(), layers, numbers, card.arch, banded)
    top = graph.trunk(pixel_mean(card.preprocessing))
    if part == "trunk":
        graph.nodes.node("Identity", [top], "trunk")
        shape: tuple[int, ...] = (graph.channels(module_names(card.arch, "4")[-1]), height // 16, width // 16)
    elif part == "features":
        graph.features(top)
        shape = (graph.channels(module_names(card.arch)[-1]),)
    else:
        graph.scores(graph.features(top))
        shape = (card.classes + 4 * card.regressed,)
    try:
        content: bytes = graph.nodes.model(sides, part, shape).SerializeToString()
    except (ValidationError, InferenceError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise ModelError("MODEL_INVALID", f"{source}: the tensors do not fit together ({reason})") from None
    return content


def _ranges(card: Card, source: str) -> dict[str, float]:
    if not card.ranges:
        message = f"{source} has no ranges, from which int8 scales follow: add them with googlenet-rcnn measure-ranges"
        raise ModelError("MODEL_NO_RANGES", message)
    return card.ranges


class _Graph:
    """The network's structure, written into nodes."""

    def __init__(self, nodes: Nodes, layers: dict[str, Layer], numbers: Numbers, arch: str, banded: bool) -> None:
        self.nodes = nodes
        self.layers = layers
        self.numbers = numbers
        self.arch = arch
        self.paper = arch != "googlenet-bn"  # Szegedy 2014 has LRN and pools 3x3 before 5a; torchvision's has neither
        self.banded = banded
        self.held: tuple[str, ...] = ()  # the layers whose outputs the current tensor holds

    def trunk(self, mean: NDArray[np.float64]) -> str:
        """The map of 4e."""
        sums = self.numbers.first_sums(self.nodes, self.layers["conv1"], mean)
        x = self._hand_on(self.nodes.node("Relu", [sums], "conv1"), ("conv1",))
        x = self._pool(x, "pool1", 3, 2)
        x = self._normalise(x, "lrn1", 64) if self.paper else x
        x = self._convolution(self._convolution(x, "conv2_reduce"), "conv2", raw=self.paper)
        x = self._normalise(x, "lrn2", 192) if self.paper else x
        x = self._pool(x, "pool2", 3, 2)
        for module in module_names(self.arch, "3") + module_names(self.arch, "4"):
            if module == "4a":
                x = self._pool(x, "pool3", 3, 2)
            x = self._inception(x, module)
        return x

    def features(self, x: str) -> str:
        """The means [N,1024] over the map of 5b, of the map of 4e."""
        x = self._pool(x, "pool4", 3 if self.paper else 2, 2)
        for module in module_names(self.arch, "5"):
            x = self._inception(x, module)
        x = self.nodes.node("GlobalAveragePool", [x], "average")
        return self.nodes.node("Flatten", [x], "features")

    def scores(self, x: str) -> str:
        """Logits and offsets of features."""
        outputs = [self.layers[name] for name in ("classifier", "regressor") if name in self.layers]
        weights = self.nodes.constant("scores.weights", np.concatenate([layer.weights for layer in outputs]))
        bias = np.concatenate([layer.bias for layer in outputs])
        return self.nodes.node("Gemm", [x, weights, self.nodes.constant("scores.bias", bias)], "scores", transB=1)

    def channels(self, module: str) -> int:
        """How many channels a module gives."""
        return sum(len(self.layers[f"inception{module}.{name}"].bias) for name in _OUTPUTS)

    def _hand_on(self, tensor: str, layers: tuple[str, ...]) -> str:
        self.held = layers
        return self.numbers.activations(self.nodes, tensor, layers)

    def _convolution(self, x: str, name: str, together: tuple[str, ...] = (), raw: bool = False) -> str:
        """A convolution and its ReLU; `together` with other layers it goes into one tensor; `raw` is not rounded."""
        layer = self.layers[name]
        kernel = layer.weights.shape[2]
        weights = self.numbers.weights(self.nodes, name, layer)
        inputs = [x, weights, self.nodes.constant(f"{name}.bias", layer.bias)]
        sums = self.nodes.node("Conv", inputs, f"{name}.sums", pads=[kernel // 2] * 4, kernel_shape=[kernel, kernel])
        x = self.nodes.node("Relu", [sums], name)
        return x if raw else self._hand_on(x, together or (name,))

    def _pool(self, x: str, name: str, kernel: int, stride: int) -> str:
        # Rounding up is Caffe's; a pooling of stride 1 keeps the size.
        x = self.nodes.node(
            "MaxPool",
            [x],
            name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2 if stride == 1 else 0] * 4,
            ceil_mode=int(stride > 1),
        )
        return self.numbers.activations(self.nodes, x, self.held)

    def _normalise(self, x: str, name: str, channels: int) -> str:
        """Local response normalisation with the published Caffe model's numbers (see lrn.py)."""
        if not self.banded:
            x = self.nodes.node("LRN", [x], name, size=5, alpha=1e-4, beta=0.75, bias=1.0)
            return self._hand_on(x, (name,))
        place = np.arange(channels)
        band = (np.abs(place[:, None] - place) <= 2).astype(np.float32) * np.float32(1e-4 / 5)
        squares = self.nodes.node("Mul", [x, x], f"{name}.squares")
        weights = self.nodes.constant(f"{name}.band", band[:, :, None, None])
        one = self.nodes.constant(f"{name}.one", np.ones(channels, np.float32))
        total = self.nodes.node("Conv", [squares, weights, one], f"{name}.total", kernel_shape=[1, 1])
        root = self.nodes.node("Sqrt", [total], f"{name}.root")
        power = self.nodes.node("Mul", [root, self.nodes.node("Sqrt", [root], f"{name}.fourth_root")], f"{name}.power")
        return self._hand_on(self.nodes.node("Div", [x, power], name), (name,))

    def _inception(self, x: str, module: str) -> str:
        """Four branches side by side (figure 2b); they share a scale, so that joining them costs nothing."""
        prefix = f"inception{module}."
        outputs, held = tuple(prefix + name for name in _OUTPUTS), self.held
        three = self._convolution(x, prefix + "branch3_reduce")
        five = self._convolution(x, prefix + "branch5_reduce")
        self.held = held
        pooled = self._pool(x, prefix + "pool", 3, 1)
        branches = [
            self._convolution(source, name, outputs)
            for source, name in zip((x, three, five, pooled), outputs, strict=True)
        ]
        return self._hand_on(self.nodes.node("Concat", branches, f"inception{module}", axis=1), outputs)
