"""MultiBox as a proposer: its boxes, its order, and the files it comes from."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from contracts import check_proposer
from hostile import photo
from tiny_multibox import CARD, StubTrunk

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.checkpoint import read_tensors, save_weights
from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core.boxes import area, intersection_over_union, nms
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Size
from googlenet_rcnn.proposals import multibox as module
from googlenet_rcnn.proposals.multibox import MultiBox, trunk_identity
from googlenet_rcnn.proposals.multibox_head import HeadSettings, MultiBoxHead
from googlenet_rcnn.proposals.views import view_pixels, whole_view

pytestmark = pytest.mark.usefixtures("one_thread")

COUNT = 60
SETTINGS = HeadSettings(channels=8, hidden=16, grid=2)
REAL = Card(labels=("a", "b", "c"))


def random_head(spread: float = 1.0, seed: int = 0) -> MultiBoxHead:
    """A head that answers differently to each image; corners leave the image and may be turned inside out."""
    corners = np.sort(np.random.default_rng(seed).random((COUNT, 2, 2)), axis=1).reshape(COUNT, 4)
    torch.manual_seed(seed)
    head = MultiBoxHead(torch.from_numpy(corners).half().float(), SETTINGS).eval()
    with torch.no_grad():
        head.output.weight.normal_()
        head.bias[:, :4].normal_(std=3 * spread)
        head.bias[:, 4].normal_(std=3)
    return head


@pytest.fixture(scope="module")
def multibox() -> MultiBox:
    return MultiBox(StubTrunk(), random_head(), CARD)


def rows(proposals) -> list[tuple[float, ...]]:
    return [tuple(row) for row in proposals.boxes.coordinates.tolist()]


@pytest.mark.parametrize("overlap", [None, 0.5, 1.0])
def test_multibox_keeps_the_contract_of_proposers(multibox, overlap) -> None:
    check_proposer(replace(multibox, nms=overlap))


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (40, 320), (320, 40), (224, 224)])
def test_boxes_lie_within_images_of_any_shape_and_hold_a_pixel(multibox, shape) -> None:
    found = multibox.propose(photo(*shape))
    boxes = found.boxes.coordinates
    assert found.size == shape
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    assert 0 < len(found) <= COUNT
    assert (np.diff(found.scores) <= 0).all()
    assert found.scores.min() >= 0
    assert found.scores.max() <= 1
    assert found.source_names == ("multibox",)


def test_boxes_are_the_heads_corners_in_pixels(multibox) -> None:
    image = photo(50, 80)
    crop = view_pixels(image, whole_view(Size(50, 80)), 56, CARD.preprocessing.fill)
    with torch.no_grad():
        locations, logits = multibox.head(run_batches(multibox.network.trunk, crop[None], CARD.preprocessing))
    expected = {}
    for corners, logit in zip(locations[0].tolist(), logits[0].tolist(), strict=True):
        x, y = sorted((corners[0] * 80, corners[2] * 80)), sorted((corners[1] * 50, corners[3] * 50))
        x1, y1 = min(max(x[0], 0), 79), min(max(y[0], 0), 49)
        box = x1, y1, min(max(x[1], x1 + 1), 80), min(max(y[1], y1 + 1), 50)
        key = tuple(np.float32(box).tolist())
        expected[key] = max(expected.get(key, 0), 1 / (1 + np.exp(-logit)))
    found = multibox.propose(image)
    assert set(rows(found)) == set(expected)
    np.testing.assert_allclose(found.scores, sorted((expected[row] for row in rows(found)), reverse=True), rtol=1e-5)
    np.testing.assert_allclose(found.scores, [expected[row] for row in rows(found)], rtol=1e-5)


def test_the_count_keeps_the_most_confident(multibox) -> None:
    everything = multibox.propose(photo())
    assert len(everything) > 20
    for count in (1, 7, 20):
        some = replace(multibox, count=count).propose(photo())
        assert rows(some) == rows(everything)[:count]
        assert some.scores.tolist() == everything.scores[:count].tolist()


@pytest.mark.parametrize("threshold", [0.2, 0.6])
def test_suppression_drops_boxes_that_overlap_a_better_one(multibox, threshold) -> None:
    everything = multibox.propose(photo())
    found = replace(multibox, nms=threshold).propose(photo())
    kept = nms(everything.boxes.coordinates, everything.scores, threshold)
    assert rows(found) == [rows(everything)[index] for index in kept]
    overlaps = intersection_over_union(found.boxes.coordinates, found.boxes.coordinates)
    assert np.triu(overlaps, 1).max() <= threshold
    assert 0 < len(found) < len(everything)
    # The count is taken of what is left.
    assert rows(replace(multibox, nms=threshold, count=4).propose(photo())) == rows(found)[:4]


def test_the_picture_matters(multibox) -> None:
    found = [multibox.propose(image) for image in (photo(), 255 - photo(), np.zeros((60, 80, 3), np.uint8))]
    assert len({each.scores.tobytes() for each in found}) == 3
    with pytest.raises(ValueError, match="uint8"):
        multibox.propose(photo().astype(np.float32))


def test_a_head_without_residuals_proposes_its_priors() -> None:
    head = random_head()
    with torch.no_grad():
        head.output.weight.zero_()
        head.bias[:, :4].zero_()
    found = MultiBox(StubTrunk(), head, CARD).propose(np.zeros((1000, 1000, 3), np.uint8))
    expected = head.priors[torch.argsort(-head.bias[:, 4])] * 1000
    wide = (expected[:, 2:] - expected[:, :2] >= 1).all(dim=1).numpy()
    np.testing.assert_allclose(found.boxes.coordinates[wide], expected[wide], rtol=1e-5)
    assert area(found.boxes.coordinates).max() > 100_000


@pytest.fixture(scope="module")
def network():
    """A GoogLeNet with random weights that half precision holds exactly."""
    torch.manual_seed(3)
    return build_network(REAL).half().float().eval()


@pytest.fixture
def stub(monkeypatch):
    """A trunk of a moment's work in place of the architecture that a file's card names."""
    monkeypatch.setattr(module, "build_network", lambda card: StubTrunk(seed=9))
    return StubTrunk().half().float()


def contents(network):
    """What a file with its own trunk holds."""
    head = {f"head.{name}": value for name, value in random_head().state_dict().items()}
    kept = {n: v for n, v in network.state_dict().items() if not n.startswith(("inception5", "classifier."))}
    return head | {f"trunk.{name}": value for name, value in kept.items()}


def card(network, **changes) -> Card:
    described = {"task": "multibox", "trunk": trunk_identity(network)}
    return REAL.model_copy(update=described | {"recipe": {"head": SETTINGS.model_dump(mode="json")}} | changes)


def never():
    raise AssertionError("the trunk in the file is to be used")


def head_only(network):
    return {name: value for name, value in contents(network).items() if name.startswith("head.")}


def test_a_file_with_its_own_trunk_and_one_that_shares_it_propose_the_same(network, tmp_path) -> None:
    own, shared = tmp_path / "own.safetensors", tmp_path / "shared.safetensors"
    save_weights(own, contents(network), card(network), half=True)
    save_weights(shared, head_only(network), card(network), half=True)
    assert shared.stat().st_size < own.stat().st_size / 20
    first = MultiBox.load(own, never, count=30, nms=0.7)
    second = MultiBox.load(shared, lambda: network, count=30, nms=0.7)
    assert (first.count, first.nms, first.card) == (30, 0.7, card(network))
    assert not first.head.training
    assert not first.network.training
    one, two = first.propose(photo()), second.propose(photo())
    assert rows(one) == rows(two)
    assert one.scores.tobytes() == two.scores.tobytes()
    head = random_head()
    head.load_state_dict({name: value.half().float() for name, value in head.state_dict().items()})
    direct = MultiBox(network, head, REAL, 30, 0.7).propose(photo())
    assert rows(direct) == rows(one)
    assert direct.scores.tobytes() == one.scores.tobytes()


def test_the_identity_of_a_trunk_is_that_of_the_layers_up_to_4e(network) -> None:
    network = deepcopy(network)
    before = trunk_identity(network)
    for layer in (network.classifier, network.inception5a, network.inception5b):
        next(layer.parameters()).data.add_(1)
    assert trunk_identity(network) == before
    next(network.inception4e.parameters()).data.view(-1)[0].add_(1)
    assert trunk_identity(network) != before


def test_a_head_without_its_trunk_is_refused(stub, tmp_path) -> None:
    path = tmp_path / "head.safetensors"
    save_weights(path, head_only(stub), card(stub, trunk="another"), half=True)
    with pytest.raises(ModelError, match="another trunk") as caught:
        MultiBox.load(path, lambda: stub)
    assert caught.value.code == "MODEL_TRUNK"
    changed = contents(stub)
    changed["trunk.colours.bias"] = changed["trunk.colours.bias"] + 1
    save_weights(path, changed, card(stub), half=True)
    with pytest.raises(ModelError, match="MODEL_TRUNK"):
        MultiBox.load(path, never)


@pytest.mark.parametrize("task", ["detector", "classifier"])
def test_files_of_another_kind_are_refused(stub, tmp_path, task) -> None:
    save_weights(tmp_path / "other.safetensors", head_only(stub), Card(labels=("a",), task=task))
    with pytest.raises(ModelError, match=f"is a {task}, not a MultiBox") as caught:
        MultiBox.load(tmp_path / "other.safetensors", never)
    assert caught.value.code == "MODEL_TASK"


FAULTS = {
    "priors lost": ({"head.priors": None}, "head.priors"),
    "flat priors": ({"head.priors": torch.zeros(8)}, "head.priors"),
    "priors of five": ({"head.priors": torch.zeros(8, 5)}, "head.priors"),
    "no priors at all": ({"head.priors": torch.zeros(0, 4)}, "slot"),
    "fewer priors": ({"head.priors": torch.zeros(8, 4)}, "slot"),
    "no number": ({"head.priors": torch.full((COUNT, 4), 9.0)}, "not finite"),
    "no slots": ({"head.slot": None}, "lacks the tensor slot"),
    "slots of another width": ({"head.slot": torch.zeros(COUNT, 3)}, "slot is"),
    "surplus": ({"head.other": torch.zeros(2)}, "other"),
    "half a trunk": ({"trunk.colours.bias": None}, "lacks the tensor colours.bias"),
    "misshapen trunk": ({"trunk.colours.weight": torch.zeros(832, 3, 5, 5)}, "colours.weight is"),
    "surplus in the trunk": ({"trunk.conv9": torch.zeros(2)}, "conv9"),
}


@pytest.mark.parametrize(("change", "what"), FAULTS.values(), ids=FAULTS.keys())
def test_damaged_files_are_refused_and_the_fault_is_named(stub, tmp_path, change, what) -> None:
    path = tmp_path / "faulty.safetensors"
    changed = {name: value for name, value in (contents(stub) | change).items() if value is not None}
    save_weights(path, changed, card(stub), half=True)
    if what == "not finite":  # which save_weights never writes
        data, needle = path.read_bytes(), torch.tensor([9.0]).half().numpy().tobytes() * 4
        path.write_bytes(data.replace(needle, b"\x00\x7e" * 4))
    with pytest.raises(ModelError, match=what) as caught:
        MultiBox.load(path, never)
    assert caught.value.code == "MODEL_INVALID"
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("head", [{"hidden": -1}, {"width": 3}, "wide", 3])
def test_a_card_with_impossible_settings_is_refused(stub, tmp_path, head) -> None:
    path = tmp_path / "card.safetensors"
    save_weights(path, contents(stub), card(stub, recipe={"head": head}), half=True)
    with pytest.raises(ModelError, match=r"MODEL_INVALID: .*head"):
        MultiBox.load(path, never)


def test_the_file_keeps_the_head_to_half_precision(stub, tmp_path) -> None:
    save_weights(tmp_path / "x.safetensors", contents(stub), card(stub), half=True)
    stored = read_tensors(tmp_path / "x.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    loaded = MultiBox.load(tmp_path / "x.safetensors", never)
    assert torch.equal(loaded.head.priors, stored["head.priors"].float())
