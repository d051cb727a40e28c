"""Region classifiers and proposers under their contracts; ensembles; checkpoints of the wrong kind."""

import subprocess
import sys
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from contracts import check_proposer, check_region_classifier
from stub_parts import ColourClassifier, FixedProposer

from googlenet_rcnn.backbone import shared_engine
from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.regions import GoogLeNetRegions
from googlenet_rcnn.detector.view import views_of
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union

pytestmark = pytest.mark.usefixtures("one_thread")

LABELS = LabelSet(("cat", "dog"))
BOXES = FixedProposer(((0, 0, 1, 1), (0, 0, 60, 40), (5, 5, 20, 20)), "boxes")


@dataclass
class RandomClassifier:
    """Distributions, and offsets if it moves boxes, drawn with a seed taken from each crop's sum."""

    seed: int
    labels: LabelSet = LABELS
    moves: bool = False
    warp: Warp = field(default_factory=lambda: Warp(16, 0))

    def score(self, crops):
        drawn = [np.random.default_rng([self.seed, int(crop.sum(dtype=np.int64))]) for crop in crops]
        rows = np.array([random.dirichlet(np.ones(3)) for random in drawn], dtype=np.float32).reshape(-1, 3)
        offsets = np.array([random.normal(size=(2, 4)) for random in drawn], dtype=np.float32).reshape(-1, 2, 4)
        return RegionScores(rows, offsets if self.moves else None)


def card(**changes) -> Card:
    described = {"task": "detector", "labels": LABELS.names, "warp_context": 10, "box_regression": True}
    return Card(**(described | changes))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "detector.safetensors"
    save_weights(path, build_network(card()).state_dict(), card(), half=True)
    return path


@pytest.fixture(scope="module")
def network(checkpoint) -> GoogLeNetRegions:
    return GoogLeNetRegions.load(checkpoint, "torch")


@pytest.mark.parametrize(
    "proposer",
    [
        FixedProposer(),
        BOXES,
        SelectiveSearch.preset("single"),
        SelectiveSearch.preset("fast", superpixel_scale=2),
        Union((BOXES, SelectiveSearch.preset("single"))),
        Union((Union((BOXES,)), BOXES), limit=2),
    ],
    ids=["none", "fixed", "single", "fast", "union", "union of unions"],
)
def test_proposers_keep_the_contract(proposer) -> None:
    check_proposer(proposer)


@pytest.mark.parametrize(
    "classifier",
    [
        ColourClassifier(),
        RandomClassifier(1),
        RandomClassifier(1, moves=True),
    ],
    ids=["colour", "random", "moving"],
)
def test_classifiers_keep_the_contract(classifier) -> None:
    check_region_classifier(classifier, side=16)


def test_the_network_keeps_the_contract(network) -> None:
    check_region_classifier(network)
    check_region_classifier(GoogLeNetRegions(replace(network.engine, batch=2), network.card))


def test_rows_are_the_softmax_of_the_network_and_its_offsets(network) -> None:
    crops = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    blue_first = torch.from_numpy(crops[..., ::-1].copy()).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        answer = network.engine.network(blue_first - torch.tensor([104.0, 117, 123])[:, None, None])
    logits = answer.main.double()
    expected = torch.exp(logits - torch.logsumexp(logits, 1, keepdim=True)).numpy()
    found = network.score(crops)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    # Four values in a row are those of one class.
    by_class = np.stack([answer.offsets[:, :4], answer.offsets[:, 4:]], axis=1)
    np.testing.assert_allclose(found.offsets, by_class, rtol=1e-4, atol=1e-4)
    assert found.offsets.dtype == np.float32


def test_a_network_without_box_regression_moves_nothing(network, tmp_path) -> None:
    tensors = {n: v for n, v in network.engine.network.state_dict().items() if not n.startswith("regressor.")}
    save_weights(tmp_path / "still.safetensors", tensors, card(box_regression=False))
    crops = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    still = GoogLeNetRegions.load(tmp_path / "still.safetensors", "torch")
    assert still.score(crops).offsets is None
    np.testing.assert_allclose(still.score(crops).probabilities, network.score(crops).probabilities, atol=1e-6)
    both = RegionScores.mean([still.score(crops), network.score(crops)])
    np.testing.assert_allclose(both.offsets, network.score(crops).offsets, rtol=1e-4, atol=1e-4)


def test_a_checkpoint_brings_its_labels_and_warp(network) -> None:
    assert network.labels == LABELS
    assert (network.warp.side, network.warp.context, network.warp.fill) == (224, 10, (123, 117, 104))
    assert not network.engine.network.training


class Remembered:
    """An engine that gives the same row for each crop."""

    name = "remembered"

    def __init__(self, row) -> None:
        self.row = np.array(row, np.float32)

    def run(self, pixels):
        return np.tile(self.row, (len(pixels), 1))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_any_engine_serves(count) -> None:
    row = [2.0, 1.0, 0.0, *range(8)]
    found = GoogLeNetRegions(Remembered(row), card()).score(np.zeros((count, 224, 224, 3), np.uint8))
    powers = np.exp([2.0, 1.0, 0.0])
    np.testing.assert_allclose(found.probabilities, np.tile(powers / powers.sum(), (count, 1)), rtol=1e-6)
    assert found.offsets.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]] * count
    still = GoogLeNetRegions(Remembered(row[:3]), card(box_regression=False))
    assert still.score(np.zeros((count, 224, 224, 3), np.uint8)).offsets is None


def test_loading_asks_for_the_runtime_and_an_ensemble_of_equals_is_one_network(checkpoint, monkeypatch) -> None:
    asked = []

    def load(path, part, runtime, side, threads, say):
        asked.append((path, part, runtime, side, threads))
        return Remembered([0.0])

    monkeypatch.setattr(shared_engine, "load_engine", load)
    one, two = (GoogLeNetRegions.load(checkpoint, "openvino", 3) for _ in range(2))
    assert one.engine is two.engine
    assert asked == [(checkpoint, "scores", "openvino", None, 3)]
    GoogLeNetRegions.load(checkpoint)
    assert asked[1][2:] == ("auto", None, None)


def test_the_module_needs_no_torch() -> None:
    code = "import googlenet_rcnn.detector.pipeline, googlenet_rcnn.detector.regions, googlenet_rcnn.detector.cascade\n"
    code += "import sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_ensemble_is_the_mean_of_its_members(count) -> None:
    crops = np.random.default_rng(2).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    members = [RandomClassifier(seed) for seed in range(count)]
    mean = np.mean([member.score(crops).probabilities.astype(np.float64) for member in members], axis=0)
    said = RegionScores.mean([member.score(crops) for member in members])
    np.testing.assert_allclose(said.probabilities, mean, atol=1e-7)


@pytest.mark.parametrize("moving", [(), (0,), (1, 2), (0, 1, 2, 3)])
def test_only_members_that_move_boxes_say_where_to(moving) -> None:
    crops = np.random.default_rng(2).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    members = [RandomClassifier(seed, moves=seed in moving) for seed in range(4)]
    found = RegionScores.mean([member.score(crops) for member in members])
    still = RegionScores.mean([RandomClassifier(seed).score(crops) for seed in range(4)])
    assert np.array_equal(found.probabilities, still.probabilities)
    if moving:
        said = [members[seed].score(crops).offsets.astype(np.float64) for seed in moving]
        np.testing.assert_allclose(found.offsets, sum(said) / len(said), atol=1e-6)
        assert found.offsets.dtype == np.float32
    else:
        assert found.offsets is None


@pytest.mark.parametrize("names", [("dog", "cat"), ("cat",), ("cat", "dog", "cow")])
def test_members_with_other_labels_are_refused(names) -> None:
    with pytest.raises(UsageError) as caught:
        views_of([RandomClassifier(0), RandomClassifier(1), RandomClassifier(2, LabelSet(names))])
    assert caught.value.code == "ENSEMBLE_LABELS"


@pytest.mark.parametrize("flip", [False, True])
def test_members_that_share_a_warp_share_its_crops(flip) -> None:
    members = [RandomClassifier(seed, warp=Warp(64, context)) for seed, context in enumerate((4, 0, 4, 8, 0))]
    views = views_of(members, flip)
    seeds = [(view.warp.context, [one.seed for one in view.classifiers], view.mirrored) for view in views]
    plain = [(4, [0, 2]), (0, [1, 4]), (8, [3])]
    assert seeds == [(*one, mirrored) for mirrored in ((False, True) if flip else (False,)) for one in plain]


def test_a_classifier_is_no_detector(tmp_path) -> None:
    kind = card(task="classifier", preprocessing=Preprocessing(order="RGB"))
    save_weights(tmp_path / "c.safetensors", build_network(kind).state_dict(), kind, half=True)
    with pytest.raises(ModelError, match="train-detector") as caught:
        GoogLeNetRegions.load(tmp_path / "c.safetensors")
    assert caught.value.code == "MODEL_TASK"


def test_a_missing_checkpoint_is_named(tmp_path) -> None:
    with pytest.raises(ModelError, match="gone") as caught:
        GoogLeNetRegions.load(tmp_path / "gone.safetensors")
    assert caught.value.code == "MODEL_MISSING"
