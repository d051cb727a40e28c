"""MultiBox as a proposer: its boxes, its order, and the files it comes from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from contracts import check_proposer
from hostile import photo
from tiny_multibox import CARD, StubTrunk, head_arrays

from googlenet_rcnn.backbone.checkpoint import read_arrays
from googlenet_rcnn.backbone.engine_torch import TorchEngine, run_batches
from googlenet_rcnn.backbone.trunk import trunk_identity, trunk_names
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.boxes import area, intersection_over_union, nms
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Size
from googlenet_rcnn.proposals.multibox import MultiBox
from googlenet_rcnn.proposals.multibox_arrays import HeadSettings
from googlenet_rcnn.proposals.multibox_head import MultiBoxHead
from googlenet_rcnn.proposals.views import view_pixels, whole_view

pytestmark = pytest.mark.usefixtures("one_thread")

COUNT = 60
SETTINGS = HeadSettings(channels=8, hidden=16, grid=2)
HEAD = {"head": SETTINGS.model_dump(mode="json")}
LAYERS = {name: torch.full((2,), number / 64) for number, name in enumerate(trunk_names("googlenet"))}
"""Tensors of a trunk; what they would compute does not matter where an engine is put in their place."""


def stub_engine() -> TorchEngine:
    return TorchEngine(StubTrunk(), CARD, "trunk")


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
    return MultiBox(stub_engine(), head_arrays(random_head(), SETTINGS), CARD)


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


def test_boxes_are_the_corners_in_pixels_that_torchs_head_gives(multibox) -> None:
    image = photo(50, 80)
    crop = view_pixels(image, whole_view(Size(50, 80)), 56, CARD.preprocessing.fill)
    with torch.no_grad():
        locations, logits = random_head()(run_batches(StubTrunk().trunk, crop[None], CARD.preprocessing))
    expected = {}
    for corners, logit in zip(locations[0].tolist(), logits[0].tolist(), strict=True):
        x, y = sorted((corners[0] * 80, corners[2] * 80)), sorted((corners[1] * 50, corners[3] * 50))
        x1, y1 = min(max(x[0], 0), 79), min(max(y[0], 0), 49)
        box = x1, y1, min(max(x[1], x1 + 1), 80), min(max(y[1], y1 + 1), 50)
        key = tuple(np.float32(box).tolist())
        expected[key] = max(expected.get(key, 0), 1 / (1 + np.exp(-logit)))
    found = multibox.propose(image)
    best = sorted(expected, key=expected.__getitem__, reverse=True)
    np.testing.assert_allclose(found.boxes.coordinates, best, atol=1e-3)
    np.testing.assert_allclose(found.scores, [expected[row] for row in best], rtol=1e-4)


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
    found = MultiBox(stub_engine(), head_arrays(head, SETTINGS), CARD).propose(np.zeros((1000, 1000, 3), np.uint8))
    expected = head.priors[torch.argsort(-head.bias[:, 4])] * 1000
    wide = (expected[:, 2:] - expected[:, :2] >= 1).all(dim=1).numpy()
    np.testing.assert_allclose(found.boxes.coordinates[wide], expected[wide], rtol=1e-5)
    assert area(found.boxes.coordinates).max() > 100_000


def contents(**changes):
    """What a file with its own trunk holds."""
    head = {f"head.{name}": value for name, value in random_head().state_dict().items()}
    return head | {f"trunk.{name}": value for name, value in LAYERS.items()} | changes


def card(**changes) -> Card:
    trunk = trunk_identity({name: value.numpy() for name, value in LAYERS.items()}, "googlenet", "here")
    return CARD.model_copy(update={"task": "multibox", "trunk": trunk, "recipe": HEAD} | changes)


def head_only():
    return {name: value for name, value in contents().items() if name.startswith("head.")}


def never():
    raise AssertionError("no engine is to be made of a file that is refused")


def test_a_file_with_its_own_trunk_and_one_that_shares_it_propose_the_same(tmp_path) -> None:
    own, shared, trunk = (tmp_path / f"{name}.safetensors" for name in ("own", "shared", "trunk"))
    save_weights(own, contents(), card(), half=True)
    save_weights(shared, head_only(), card(), half=True)
    surplus = {"classifier.weight": torch.zeros(2)}  # whatever else the shared network has
    save_weights(trunk, LAYERS | surplus, CARD.model_copy(update={"task": "detector"}), half=True)
    first = MultiBox.load(own, own, stub_engine, count=30, nms=0.7)
    second = MultiBox.load(shared, trunk, stub_engine, count=30, nms=0.7)
    assert (first.count, first.nms, first.card) == (30, 0.7, card())
    one, two = first.propose(photo()), second.propose(photo())
    assert rows(one) == rows(two)
    assert one.scores.tobytes() == two.scores.tobytes()
    head = random_head()
    head.load_state_dict({name: value.half().float() for name, value in head.state_dict().items()})
    direct = MultiBox(stub_engine(), head_arrays(head, SETTINGS), CARD, 30, 0.7).propose(photo())
    assert rows(direct) == rows(one)
    assert direct.scores.tobytes() == one.scores.tobytes()


def test_a_head_without_its_trunk_is_refused(tmp_path) -> None:
    path, other = tmp_path / "head.safetensors", tmp_path / "other.safetensors"
    save_weights(path, head_only(), card(), half=True)
    save_weights(other, {name: value + 1 for name, value in LAYERS.items()}, CARD)
    with pytest.raises(ModelError, match="another trunk") as caught:
        MultiBox.load(path, other, never)
    assert caught.value.code == "MODEL_TRUNK"
    name = "trunk.inception4e.branch1.0.bias"
    save_weights(path, contents(**{name: contents()[name] + 1}), card(), half=True)
    with pytest.raises(ModelError, match="MODEL_TRUNK"):
        MultiBox.load(path, path, never)


@pytest.mark.parametrize("task", ["detector", "classifier"])
def test_files_of_another_kind_are_refused(tmp_path, task) -> None:
    path = tmp_path / "other.safetensors"
    save_weights(path, head_only(), Card(labels=("a",), task=task))
    with pytest.raises(ModelError, match=f"is a {task}, not a MultiBox") as caught:
        MultiBox.load(path, path, never)
    assert caught.value.code == "MODEL_TASK"


FAULTS = {
    "priors lost": ({"head.priors": None}, "head.priors"),
    "flat priors": ({"head.priors": torch.zeros(8)}, "head.priors"),
    "priors of five": ({"head.priors": torch.zeros(8, 5)}, "head.priors"),
    "no priors at all": ({"head.priors": torch.zeros(0, 4)}, "slot"),
    "fewer priors": ({"head.priors": torch.zeros(8, 4)}, "slot"),
    "no number": ({"head.priors": torch.full((COUNT, 4), 9.0)}, "not finite"),
    "no slots": ({"head.slot": None}, "lacks the tensor head.slot"),
    "slots of another width": ({"head.slot": torch.zeros(COUNT, 3)}, r"head.slot is \[60, 3\], expected \[60, 16\]"),
    "surplus": ({"head.other": torch.zeros(2)}, "head.other"),
    "half a trunk": ({"trunk.conv1.0.bias": None}, "lacks the tensor conv1.0.bias"),
    "surplus in the trunk": ({"trunk.conv9": torch.zeros(2)}, "conv9"),
}


@pytest.mark.parametrize(("change", "what"), FAULTS.values(), ids=FAULTS.keys())
def test_damaged_files_are_refused_and_the_fault_is_named(tmp_path, change, what) -> None:
    path = tmp_path / "faulty.safetensors"
    changed = {name: value for name, value in contents(**change).items() if value is not None}
    save_weights(path, changed, card(), half=True)
    if what == "not finite":  # which save_weights never writes
        data, needle = path.read_bytes(), torch.tensor([9.0]).half().numpy().tobytes() * 4
        path.write_bytes(data.replace(needle, b"\x00\x7e" * 4))
    with pytest.raises(ModelError, match=what) as caught:
        MultiBox.load(path, path, never)
    assert caught.value.code == "MODEL_INVALID"
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("head", [{"hidden": -1}, {"width": 3}, "wide", 3])
def test_a_card_with_impossible_settings_is_refused(tmp_path, head) -> None:
    path = tmp_path / "card.safetensors"
    save_weights(path, contents(), card(recipe={"head": head}), half=True)
    with pytest.raises(ModelError, match=r"MODEL_INVALID: .*head"):
        MultiBox.load(path, path, never)


def test_the_file_keeps_the_head_to_half_precision(tmp_path) -> None:
    path = tmp_path / "x.safetensors"
    save_weights(path, contents(), card(), half=True)
    assert {tensor.dtype for tensor in read_tensors(path).values()} == {torch.float16}
    loaded = MultiBox.load(path, path, stub_engine)
    assert np.array_equal(loaded.head.tensors["priors"], read_arrays(path)["head.priors"])


def test_confidences_of_any_size_are_probabilities() -> None:
    head = random_head()
    with torch.no_grad():
        head.output.weight.zero_()
        head.bias[:, 4] = torch.linspace(-500, 500, COUNT)
    found = MultiBox(stub_engine(), head_arrays(head, SETTINGS), CARD).propose(np.zeros((900, 900, 3), np.uint8))
    expected = torch.sigmoid(torch.linspace(500, -500, COUNT)).numpy()
    np.testing.assert_allclose(found.scores, expected[: len(found)], atol=1e-6)
    assert (found.scores[0], found.scores[-1]) == (1, 0)


def test_its_representation_tells_files_and_settings_apart_and_no_objects_in_memory(tmp_path) -> None:
    paths = [tmp_path / f"{seed}.safetensors" for seed in range(2)]
    for seed, path in enumerate(paths):
        save_weights(path, contents() | {"head.bias": random_head(seed=seed).bias.detach()}, card(), half=True)
    loaded = [
        MultiBox.load(path, path, stub_engine, count=count, nms=nms)
        for path in paths for count, nms in ((30, None), (40, None), (30, 0.7))
    ]  # fmt: skip
    shown = [repr(one) for one in loaded]
    assert len(set(shown)) == 6
    assert repr(MultiBox.load(paths[0], paths[0], stub_engine, count=30)) == shown[0]
    assert " at 0x" not in "".join(shown)
