"""Bytes stand for the numbers they were rounded from; nothing clips where a processor adds them in pairs."""

import numpy as np
import pytest
from drawn_networks import NORMALISED, PAPER, Drawn, draw, pixels

from googlenet_rcnn.backbone.graph import build_graph
from googlenet_rcnn.backbone.quantisation import ByteNumbers

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=["googlenet", "googlenet-bn"])
def drawn(request, tmp_path_factory) -> Drawn:
    if request.param == "googlenet-bn":
        pytest.importorskip("torchvision")
    return draw(tmp_path_factory.mktemp("drawn"), PAPER if request.param == "googlenet" else NORMALISED)


@pytest.fixture(scope="module")
def constants(drawn) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(build_graph(drawn.arrays, drawn.card, quantised=True))
    return {value.name: onnx.numpy_helper.to_array(value) for value in model.graph.initializer}


def exactly(graph: bytes, images: np.ndarray) -> np.ndarray:
    """The graph as its nodes say, without the integer arithmetic that an engine puts in their place."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options).run(None, {"pixels": images})[0]


def test_every_convolution_is_rounded_to_half_a_step(drawn, constants) -> None:
    layers = [name.removesuffix(".weight_bytes") for name in constants if name.endswith(".weight_bytes")]
    assert len(layers) == 57
    floats = build_graph(drawn.arrays, drawn.card)
    exact = {v.name: onnx.numpy_helper.to_array(v) for v in onnx.load_from_string(floats).graph.initializer}
    for layer in layers:
        rounded, scale = constants[f"{layer}.weight_bytes"], constants[f"{layer}.weight_scale"][:, None, None, None]
        assert rounded.dtype == np.int8
        assert np.abs(rounded.astype(int)).max() == 63
        # The sum of two products of a byte and a weight must fit 16 bits.
        assert 2 * 255 * int(np.abs(rounded.astype(int)).max()) <= 32767
        assert (np.abs(rounded * scale - exact[f"{layer}.weights"]) <= scale * 0.5001).all()


def test_scales_are_the_largest_activation_over_255(drawn, constants) -> None:
    ranges = drawn.card.ranges
    assert constants["conv1.scale"] == np.float32(ranges["conv1"] / 255)
    assert constants["inception4b.branch5_reduce.scale"] == np.float32(ranges["inception4b.branch5_reduce"] / 255)
    joined = [f"inception4b.{name}" for name in ("branch1", "branch3", "branch5", "pool_projection")]
    scales = {float(constants[f"{name}.scale"]) for name in [*joined, "inception4b"]}
    assert scales == {float(np.float32(max(ranges[name] for name in joined) / 255))}


def test_bytes_give_nearly_what_floats_give(drawn) -> None:
    images = pixels(3, seed=5)
    rough = exactly(build_graph(drawn.arrays, drawn.card, quantised=True), images)
    smooth = exactly(build_graph(drawn.arrays, drawn.card), images)
    assert 0 < np.abs(rough - smooth).max() < 0.1 * np.abs(smooth).max()
    assert np.corrcoef(rough.ravel(), smooth.ravel())[0, 1] > 0.995


def test_zero_weights_and_zero_ranges_are_no_trouble(drawn) -> None:
    name = next(name for name in drawn.arrays if name.startswith("inception3a.branch1") and name.endswith("weight"))
    arrays = drawn.arrays | {name: np.zeros_like(drawn.arrays[name])}
    card = drawn.card.model_copy(update={"ranges": drawn.card.ranges | {"inception3a.branch3_reduce": 0.0}})
    assert np.isfinite(exactly(build_graph(arrays, card, quantised=True), pixels(1))).all()


def test_values_that_are_numbers_only() -> None:
    assert ByteNumbers({"conv1": 2.0}).ranges == {"conv1": 2.0}
    for value in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="ranges"):
            PAPER.model_validate(PAPER.model_dump() | {"ranges": {"conv1": value}})
