"""Layers of one network in another."""

import torch
from torch import nn

from googlenet_rcnn.backbone.architectures import take_layers


def two(last: int) -> nn.ModuleDict:
    return nn.ModuleDict({"body": nn.Linear(3, 3), "classifier": nn.Linear(3, last), f"only{last}": nn.Linear(1, 1)})


def test_what_both_have_is_copied_but_for_what_is_left_out() -> None:
    torch.manual_seed(0)
    network, source = two(2), two(4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert take_layers(network, source, without=("classifier.",)) == {"body.weight", "body.bias"}
    after = network.state_dict()
    for name, value in after.items():
        wanted = source.state_dict()[name] if name.startswith("body.") else before[name]
        assert torch.equal(value, wanted), name


def test_without_exceptions_all_that_both_have_is_copied() -> None:
    torch.manual_seed(0)
    network, source = two(2), two(2)
    assert take_layers(network, source) == set(network.state_dict())
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in network.state_dict().items())
