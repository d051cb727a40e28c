"""The hash of a trunk, from arrays as from a network of torch."""

import numpy as np
import pytest
import torch

from googlenet_rcnn.backbone.architectures import build_network, identity
from googlenet_rcnn.backbone.checkpoint import read_arrays
from googlenet_rcnn.backbone.trunk import NOT_TRUNK, trunk_identity, trunk_names
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError

CARDS = {
    "paper": Card(labels=("a", "b")),
    "heads": Card(labels=("a", "b"), heads=True),
    "detector": Card(labels=("a", "b"), task="detector", box_regression=True),
    "bn": Card(labels=("a", "b"), arch="googlenet-bn"),
    "bn detector": Card(labels=("a", "b"), arch="googlenet-bn", task="detector", box_regression=True),
}


def tiny(arch: str = "googlenet") -> dict[str, np.ndarray]:
    """Arrays of the trunk's names; their shapes are nothing to the hash."""
    return {name: np.full(2, number, np.float32) for number, name in enumerate(trunk_names(arch))}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
@pytest.mark.parametrize("half", [False, True])
def test_a_file_has_the_identity_of_its_network(card, half, tmp_path) -> None:
    torch.manual_seed(0)
    network = build_network(card)
    if half:
        network.half().float()
    path = tmp_path / "x.safetensors"
    save_weights(path, network.state_dict(), card, half=half)
    assert trunk_identity(read_arrays(path), card.arch, "x") == identity(network, without=NOT_TRUNK)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_names_are_the_networks_up_to_4e_in_its_order(card) -> None:
    names = [name for name in build_network(card).state_dict() if not name.startswith(NOT_TRUNK)]
    assert list(trunk_names(card.arch)) == names
    assert names[-1].startswith("inception4e.")


@pytest.mark.parametrize("arch", ["googlenet", "googlenet-bn"])
def test_every_value_counts_and_nothing_else(arch) -> None:
    arrays = tiny(arch)
    before = trunk_identity(arrays, arch, "x")
    turned = dict(reversed(arrays.items()))
    assert trunk_identity(turned | {"inception5a.other": np.ones(1)}, arch, "x") == before
    for name in (next(iter(arrays)), "inception4e.branch1.0.weight" if arch == "googlenet" else "conv3.bn.bias"):
        changed = arrays | {name: arrays[name] + 1}
        assert trunk_identity(changed, arch, "x") != before


def test_a_missing_layer_is_named() -> None:
    arrays = tiny()
    del arrays["inception3a.branch5.0.bias"]
    with pytest.raises(ModelError, match=r"here lacks the tensor inception3a\.branch5\.0\.bias") as caught:
        trunk_identity(arrays, "googlenet", "here")
    assert caught.value.code == "MODEL_INVALID"
