"""Ranges are the largest values that the exported graph's own layers give."""

import numpy as np
import pytest
from drawn_networks import NORMALISED, PAPER, draw, pixels

from googlenet_rcnn.backbone.folding import layer_names
from googlenet_rcnn.backbone.graph import build_graph
from googlenet_rcnn.backbone.ranges import measure_ranges

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("card", [PAPER, NORMALISED], ids=["googlenet", "googlenet-bn"])
def test_they_are_the_largest_values_of_the_graph(card, tmp_path) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    if card is NORMALISED:
        pytest.importorskip("torchvision")
    drawn = draw(tmp_path, card)
    crops = pixels(3, seed=9)
    ranges = measure_ranges(drawn.network, drawn.card, [crops[:2], crops[:0], crops[2:]])
    assert ranges.keys() == {*layer_names(card.arch), *(("lrn1", "lrn2") if card is PAPER else ())}
    model = onnx.load_from_string(build_graph(drawn.arrays, drawn.card))
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, 1, None) for name in ranges)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(list(ranges), {"pixels": crops})
    for name, values in zip(ranges, found, strict=True):
        assert ranges[name] == pytest.approx(float(values.max()), rel=1e-3, abs=1e-5), name


def test_measuring_leaves_the_network_as_it_was(tmp_path) -> None:
    network, card = (drawn := draw(tmp_path)).network.train(), drawn.card
    before = {name: value.copy() for name, value in drawn.arrays.items()}
    first = measure_ranges(network, card, [pixels(1)])
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
    assert all(np.array_equal(before[name], value) for name, value in drawn.arrays.items())
    assert measure_ranges(network, card, [pixels(1)]) == first
    more = measure_ranges(network, card, [pixels(1), pixels(1, seed=1)])
    assert all(more[name] >= value for name, value in first.items())


def test_no_crops_no_ranges(tmp_path) -> None:
    drawn = draw(tmp_path)
    with pytest.raises(ValueError, match="at least one crop"):
        measure_ranges(drawn.network, drawn.card, [pixels(1)[:0]])
