"""The widths of the paper's network, and of a wider and deeper one of the same plan."""

import pytest
import torch

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.folding import layer_names
from googlenet_rcnn.backbone.trunk import trunk_names
from googlenet_rcnn.backbone.widths import PAPER, WIDE, module_names, widths_of
from googlenet_rcnn.core.card import Card

pytestmark = pytest.mark.usefixtures("one_thread")


def test_stages_are_those_of_table_1() -> None:
    assert [module_names("googlenet", stage) for stage in "345"] == [
        ("3a", "3b"), ("4a", "4b", "4c", "4d", "4e"), ("5a", "5b"),
    ]  # fmt: skip
    assert module_names("googlenet-bn") == module_names("googlenet") == tuple(PAPER)
    assert len(layer_names("googlenet")) == 3 + 6 * 9


def test_the_seventh_model_is_wider_everywhere_and_deeper_by_two_modules() -> None:
    assert list(WIDE) == sorted(WIDE)
    assert set(WIDE) - set(PAPER) == {"4f", "5c"}
    for name, widths in PAPER.items():
        for ours, theirs in zip(WIDE[name], widths, strict=True):
            assert ours % 8 == 0
            assert theirs < ours <= 1.5 * theirs
    assert len(layer_names("googlenet-wide")) == 3 + 6 * 11


@pytest.mark.parametrize(("arch", "few", "many"), [("googlenet", 5.9e6, 6.1e6), ("googlenet-wide", 13e6, 14e6)])
def test_networks_have_their_widths(arch, few, many) -> None:
    torch.manual_seed(0)
    network = build_network(Card(arch=arch, labels=("a", "b"), heads=True))
    plain = sum(value.numel() for name, value in network.named_parameters() if not name.startswith("aux"))
    assert few < plain < many
    x = torch.randn(2, 3, 224, 224)
    answer = network.train()(x)
    assert (answer.main.shape, answer.aux1.shape, answer.aux2.shape) == ((2, 2), (2, 2), (2, 2))
    last = {stage: widths_of(arch)[module_names(arch, stage)[-1]] for stage in "45"}
    channels = {stage: one + three + five + pool for stage, (one, _, three, _, five, pool) in last.items()}
    with torch.inference_mode():
        network.eval()
        assert network.trunk(x).shape == (2, channels["4"], 14, 14)
        lower = network.lower(x)
        assert lower.shape == (2, channels["4"], 7, 7)
        assert network.pooled(lower).shape == (2, channels["5"])
        torch.testing.assert_close(network.upper(lower).main, network(x).main)
        assert network(x).aux1 is None


@pytest.mark.parametrize("arch", ["googlenet", "googlenet-bn", "googlenet-wide"])
def test_the_trunk_is_what_a_network_holds_up_to_stage_4(arch) -> None:
    if arch == "googlenet-bn":
        pytest.importorskip("torchvision")
    network = build_network(Card(arch=arch, labels=("a", "b")))
    above = ("inception5", "classifier.", "fc.")
    assert trunk_names(arch) == tuple(name for name in network.state_dict() if not name.startswith(above))
