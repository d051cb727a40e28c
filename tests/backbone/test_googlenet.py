"""GoogLeNet against the paper's table 1, and its torchvision relative against torchvision itself."""

import pytest
import torch
from torch import Tensor, nn

from googlenet_rcnn.backbone.architectures import build_network, identity
from googlenet_rcnn.backbone.googlenet import GoogLeNet, Logits
from googlenet_rcnn.backbone.googlenet_bn import GoogLeNetBN
from googlenet_rcnn.backbone.lrn import LocalResponseNorm
from googlenet_rcnn.core.card import Card

pytestmark = pytest.mark.usefixtures("one_thread")

# Stage, output shape at 224x224, parameters (weights and biases), multiply-adds in millions.
TABLE = [
    ("conv1", (64, 112, 112), 9_472, 118.0),
    ("conv2", (192, 56, 56), 114_944, 359.7),
    ("inception3a", (256, 28, 28), 163_696, 128.0),
    ("inception3b", (480, 28, 28), 388_736, 304.3),
    ("inception4a", (512, 14, 14), 376_176, 73.6),
    ("inception4b", (512, 14, 14), 449_160, 87.9),
    ("inception4c", (512, 14, 14), 510_104, 99.9),
    ("inception4d", (528, 14, 14), 605_376, 118.5),
    ("inception4e", (832, 14, 14), 868_352, 170.0),
    ("inception5a", (832, 7, 7), 1_043_456, 51.1),
    ("inception5b", (1024, 7, 7), 1_444_080, 70.7),
    ("classifier", (1000,), 1_025_000, 1.0),
]


def parameters(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def images(count: int = 1) -> Tensor:
    return torch.randn(count, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 60


@pytest.fixture(scope="module")
def network() -> GoogLeNet:
    torch.manual_seed(0)
    return GoogLeNet(1000).eval()


@pytest.fixture(scope="module")
def measured(network: GoogLeNet) -> dict[str, tuple[tuple[int, ...], int]]:
    """Output shape and multiply-adds of every module, found by running it."""
    found: dict[str, tuple[tuple[int, ...], int]] = {}

    def note(name: str, module: nn.Module):
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            per_output = module.weight[0].numel() if isinstance(module, nn.Conv2d | nn.Linear) else 0
            found[name] = (tuple(output.shape[1:]), output[0].numel() * per_output)

        return module.register_forward_hook(hook)

    hooks = [note(name, module) for name, module in network.named_modules() if name]
    with torch.inference_mode():
        network(images())
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize(("stage", "shape", "count", "millions"), TABLE)
def test_a_stage_is_that_of_table_1(network, measured, stage, shape, count, millions) -> None:
    parts = ["conv2_reduce", "conv2"] if stage == "conv2" else [stage]
    macs = sum(macs for name, (_, macs) in measured.items() if name.split(".")[0] in parts)
    assert measured[stage][0] == shape
    assert sum(parameters(network.get_submodule(part)) for part in parts) == count
    assert macs / 1e6 == pytest.approx(millions, abs=0.06)


def test_the_whole_is_that_of_table_1(network: GoogLeNet, measured) -> None:
    assert sum(macs for _, macs in measured.values()) / 1e9 == pytest.approx(1.583, abs=0.0006)
    weighty = [m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighty) == 3 + 9 * 6 + 1
    assert sum(row[2] for row in TABLE) == parameters(network)
    assert measured["average"][0] == (1024, 1, 1)


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: GoogLeNet(1000), 6_998_552),
        (lambda: GoogLeNet(1000, heads=True), 13_378_280),
        (lambda: GoogLeNet(201), 6_179_577),
        (lambda: GoogLeNetBN(1000), 6_624_904),
        (lambda: GoogLeNetBN(1000, heads=True), 13_004_888),
        (lambda: build_network(Card(labels=tuple(map(str, range(200))), task="detector")), 6_179_577),
    ],
)
def test_parameter_counts(build, count: int) -> None:
    with torch.device("meta") if build.__code__.co_names[0] != "build_network" else torch.device("cpu"):
        assert parameters(build()) == count


@pytest.mark.parametrize("kind", [GoogLeNet, GoogLeNetBN])
def test_heads_answer_in_training_only_and_by_name(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network = kind(7, heads=True)
    seen: dict[str, Tensor] = {}
    names = ("aux4a", "aux4d") if kind is GoogLeNet else ("aux1", "aux2")
    sources = ("inception4a", "inception4d")
    for name in names + sources:
        network.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: output, f"{name} in": inputs[0]})
        )
    with torch.no_grad():
        out = network.train()(images(2))
        assert isinstance(out, Logits)
        assert [part.shape for part in out[:3]] == [(2, 7)] * 3
        for name, source, logits in zip(names, sources, out[1:3], strict=True):
            assert seen[name] is logits
            assert seen[f"{name} in"] is seen[source]  # aux1 looks at 4a, aux2 at 4d
        seen.clear()
        out = network.eval()(images(2))
    assert out[1:] == (None, None, None)
    assert not set(names) & set(seen)
    without = kind(7)
    with torch.no_grad():
        assert without.train()(images(2))[1:] == (None, None, None)


@pytest.mark.parametrize("kind", [GoogLeNet, GoogLeNetBN])
def test_upper_of_lower_is_the_network(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network = kind(5, heads=True, regressed=4).eval()
    with torch.inference_mode():
        x = images(2)
        lower = network.lower(x)
        assert lower.shape == (2, 832, 7, 7)
        assert network.pooled(lower).shape == (2, 1024)
        upper, whole = network.upper(lower), network(x)
    assert torch.equal(upper.main, whole.main)
    assert torch.equal(upper.offsets, whole.offsets)
    assert (upper.main.shape, upper.offsets.shape) == ((2, 5), (2, 16))


@pytest.mark.parametrize("kind", [GoogLeNet, GoogLeNetBN])
def test_offsets_are_linear_in_the_pooled_features_and_change_nothing_else(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network, without = kind(5, heads=True, regressed=4), kind(5, heads=True)
    extra = {name for name in network.state_dict() if name not in without.state_dict()}
    assert extra == {"regressor.weight", "regressor.bias"}
    assert parameters(network) - parameters(without) == 16 * 1024 + 16
    without.load_state_dict({name: value for name, value in network.state_dict().items() if name not in extra})
    x = torch.rand(2, 832, 7, 7, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for module in (network, without):
            module.eval()
        found = network.upper(x)
        assert torch.equal(found.main, without.upper(x).main)
        by_hand = network.pooled(x) @ network.regressor.weight.T + network.regressor.bias
        torch.testing.assert_close(found.offsets, by_hand, rtol=1e-4, atol=1e-5)
        # Dropout is for classes: where an object lies is told by all features, in training too.
        network.train()
        if kind is GoogLeNet:  # batch normalisation looks at other values when it trains
            assert torch.equal(network.upper(x).offsets, found.offsets)
            assert not torch.equal(network.upper(x).main, found.main)


def test_a_card_with_box_regression_has_a_network_that_moves_boxes_of_its_labels_only() -> None:
    for arch in ("googlenet", "googlenet-bn"):
        card = Card(arch=arch, labels=("cat", "dog", "cow"), task="detector", box_regression=True)
        network = build_network(card)
        assert network.regressor.weight.shape == (12, 1024)
        assert build_network(card.model_copy(update={"box_regression": False})).regressor is None


def test_dropout_rates_and_first_weights() -> None:
    network = GoogLeNet(10, heads=True)
    rates = {name: m.p for name, m in network.named_modules() if isinstance(m, nn.Dropout)}
    assert rates == {"dropout": 0.4, "aux4a.dropout": 0.7, "aux4d.dropout": 0.7}
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert (module.bias == (0.2 if isinstance(module, nn.Conv2d) else 0.0)).all()
            fan = module.weight[0].numel() + module.weight.numel() / module.weight.shape[1]
            assert module.weight.abs().max() <= (6 / fan) ** 0.5


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("size", [1.0, 300.0])
def test_lrn_is_torchs(channels: int, size: float) -> None:
    torch.manual_seed(channels)
    x = (torch.randn(2, channels, 5, 4) * size).requires_grad_()
    again = x.detach().clone().requires_grad_()
    ours, theirs = LocalResponseNorm()(x), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)(again)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    ours.square().sum().backward()
    theirs.square().sum().backward()
    torch.testing.assert_close(x.grad, again.grad, rtol=1e-4, atol=1e-4 * size)


def test_bn_network_is_torchvisions() -> None:
    from torchvision.models import GoogLeNet as Torchvision

    torch.manual_seed(0)
    theirs = Torchvision(num_classes=9, aux_logits=False, transform_input=False, init_weights=False).eval()
    ours = GoogLeNetBN(9).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(ours(images(2)).main, theirs(images(2)), rtol=1e-6, atol=1e-6)


def test_identity_sees_every_tensor_and_its_exceptions() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before, before_first = identity(module), identity(module, without="1.")
    with torch.no_grad():
        module[1].bias += 1
    assert identity(module) != before
    assert identity(module, without="1.") == before_first
