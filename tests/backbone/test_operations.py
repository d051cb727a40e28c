"""The count equals that of torch's own layers, watched while a crop goes through them."""

import numpy as np
import pytest
import torch
from torch import nn

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.operations import multiply_adds
from googlenet_rcnn.core.card import Card


def arrays_of(network):
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def watched(network, side):
    """Multiplications of convolutions and linear layers, from the shapes of what they give."""
    total = 0

    def count(layer, inputs, output):
        nonlocal total
        positions = output.shape[2] * output.shape[3] if isinstance(layer, nn.Conv2d) else 1
        total += positions * layer.weight.numel()

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, side, side))
    return total


@pytest.mark.parametrize("arch", ["googlenet", "googlenet-bn"])
@pytest.mark.parametrize(("task", "heads", "regression"), [("classifier", True, False), ("detector", False, True)])
def test_the_count_is_that_of_the_layers(arch, task, heads, regression):
    labels = tuple("abcde")
    card = Card(arch=arch, labels=labels, task=task, heads=heads, box_regression=regression)
    network = build_network(card)
    assert multiply_adds(arrays_of(network)) == watched(network, 224)


def test_the_network_of_the_paper_needs_one_and_a_half_thousand_million():
    network = build_network(Card(labels=tuple(map(str, range(1000)))))
    assert multiply_adds(arrays_of(network)) == pytest.approx(1.58e9, rel=0.01)


def test_four_times_the_pixels_take_four_times_the_convolutions():
    arrays = {"conv1.0.weight": np.zeros((64, 3, 7, 7)), "classifier.weight": np.zeros((5, 1024))}
    assert multiply_adds(arrays, 448) - 5120 == 4 * (multiply_adds(arrays, 224) - 5120)


def test_what_is_no_weight_counts_nothing():
    assert multiply_adds({"conv1.0.bias": np.zeros(64), "aux4a.hidden.weight": np.zeros((2, 3))}) == 0
