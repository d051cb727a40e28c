"""The ONNX graph gives what torch gives, for both architectures, every part and every form of LRN."""

import numpy as np
import pytest
import torch
from drawn_networks import NORMALISED, PAPER, Drawn, draw, pixels

from googlenet_rcnn.backbone.graph import build_graph
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.errors import ModelError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def paper(tmp_path_factory) -> Drawn:
    return draw(tmp_path_factory.mktemp("paper"), PAPER.model_copy(update={"heads": True}))


@pytest.fixture(scope="module")
def normalised(tmp_path_factory) -> Drawn:
    pytest.importorskip("torchvision")
    return draw(tmp_path_factory.mktemp("normalised"), NORMALISED)


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Drawn:
    return draw(tmp_path_factory.mktemp("wide"), PAPER.model_copy(update={"arch": "googlenet-wide"}))


def answer(graph: bytes, images: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options).run(None, {"pixels": images})[0]


def expected(drawn: Drawn, part: str, images: np.ndarray) -> np.ndarray:
    x = to_input(images, drawn.card.preprocessing)
    with torch.inference_mode():
        if part == "trunk":
            return drawn.network.trunk(x).numpy()
        if part == "features":
            return drawn.network.pooled(drawn.network.lower(x)).numpy()
        logits = drawn.network(x)
        return (logits.main if logits.offsets is None else torch.cat((logits.main, logits.offsets), 1)).numpy()


def relative(got: np.ndarray, wanted: np.ndarray) -> float:
    assert got.shape == wanted.shape
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("arch", ["paper", "normalised", "wide"])
@pytest.mark.parametrize("part", ["scores", "features", "trunk"])
def test_it_gives_what_torch_gives(arch, part, request) -> None:
    drawn = request.getfixturevalue(arch)
    sides = (64, 160) if part == "trunk" else (224, 224)
    images = pixels(2, *sides)
    assert (
        relative(answer(build_graph(drawn.arrays, drawn.card, part, sides), images), expected(drawn, part, images))
        < 1e-4
    )


@pytest.mark.parametrize("side", [64, 96, 256])
def test_crops_are_as_large_as_the_card_says(paper, side) -> None:
    card, images = paper.card.model_copy(update={"warp_side": side}), pixels(2, side, side)
    graph = build_graph(paper.arrays, card, "scores", (side, side))
    assert relative(answer(graph, images), expected(paper, "scores", images)) < 1e-4
    with pytest.raises(ValueError, match=f"scores are those of crops of {side}x{side} pixels, not 224x224"):
        build_graph(paper.arrays, card)


def test_lrn_as_a_banded_convolution_is_the_same(paper) -> None:
    images = pixels(1)
    graph = build_graph(paper.arrays, paper.card, banded=True)
    assert "LRN" not in {node.op_type for node in onnx.load_from_string(graph).graph.node}
    assert relative(answer(graph, images), expected(paper, "scores", images)) < 1e-4


def test_an_image_of_the_mean_colour_is_nothing_up_to_its_border(paper) -> None:
    """The border around the image is of that colour too, so every place of the trunk's map sees the same."""
    images = np.broadcast_to(np.uint8(paper.card.preprocessing.fill), (1, 256, 256, 3))
    for quantised in (False, True):
        graph = onnx.load_from_string(build_graph(paper.arrays, paper.card, "trunk", (256, 256), quantised=quantised))
        graph.graph.output.append(onnx.helper.make_tensor_value_info("conv1", 1, None))
        session = onnxruntime.InferenceSession(graph.SerializeToString())
        first = session.run(["conv1"], {"pixels": np.ascontiguousarray(images)})[0]
        np.testing.assert_allclose(first, np.broadcast_to(first[:, :, :1, :1], first.shape), atol=1e-3)


def test_one_checked_file_without_data_beside_it(paper) -> None:
    model = onnx.load_from_string(build_graph(paper.arrays, paper.card))
    onnx.checker.check_model(model, full_check=True)
    assert all(value.data_location == onnx.TensorProto.DEFAULT for value in model.graph.initializer)
    (taken,), (given,) = model.graph.input, model.graph.output
    assert (taken.name, taken.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    assert [d.dim_param or d.dim_value for d in taken.type.tensor_type.shape.dim] == ["N", 224, 224, 3]
    assert [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim] == ["N", 3 + 4 * 2]


def test_equal_arrays_give_equal_bytes(paper) -> None:
    assert build_graph(paper.arrays, paper.card, quantised=True) == build_graph(
        paper.arrays, paper.card, quantised=True
    )


def test_the_trunk_needs_nothing_above_it(paper) -> None:
    arrays = {
        k: v for k, v in paper.arrays.items() if not k.startswith(("inception5", "classifier", "regressor", "aux"))
    }
    whole = build_graph(paper.arrays, paper.card, "trunk", (64, 64))
    assert build_graph(arrays | {"screen.output.bias": np.zeros(3, np.float32)}, paper.card, "trunk", (64, 64)) == whole


@pytest.mark.parametrize(
    ("part", "sides"), [("scores", (448, 448)), ("features", (192, 224)), ("trunk", (100, 64)), ("trunk", (64, 0))]
)
def test_sides_that_do_not_fit_are_refused(paper, part, sides) -> None:
    with pytest.raises(ValueError, match="x"):
        build_graph(paper.arrays, paper.card, part, sides)


def test_missing_and_misshapen_tensors_are_told(paper) -> None:
    lacking = {name: value for name, value in paper.arrays.items() if name != "inception4c.branch3.0.bias"}
    with pytest.raises(ModelError, match=r"some\.file lacks the tensor inception4c\.branch3\.0\.bias"):
        build_graph(lacking, paper.card, source="some.file")
    wrong = paper.arrays | {"conv2.0.weight": np.zeros((192, 63, 3, 3), np.float32)}
    with pytest.raises(
        ModelError, match=r"some\.file: conv2 is \[192, 63, 3, 3\] with a bias \[192\], and its input has 64 channels"
    ):
        build_graph(wrong, paper.card, source="some.file")
    fewer = paper.card.model_copy(update={"labels": ("cat",)})
    with pytest.raises(ModelError, match="do not fit"):
        build_graph(paper.arrays, fewer)


def test_without_ranges_there_are_no_bytes(paper) -> None:
    bare = paper.card.model_copy(update={"ranges": None})
    with pytest.raises(ModelError, match="measure-ranges"):
        build_graph(paper.arrays, bare, quantised=True)
    partial = paper.card.model_copy(update={"ranges": {"conv1": 1.0}})
    with pytest.raises(ModelError, match="lack the layer"):
        build_graph(paper.arrays, partial, quantised=True)
