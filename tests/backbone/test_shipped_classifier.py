"""The classifier that comes with the package: small, described, trained throughout, and able to name what it sees."""

from importlib.resources import files
from pathlib import Path

import pytest
import torch
from shared_data import SHARED, needs_shared

from googlenet_rcnn.api.weights_files import DEFAULT_CLASSIFIER, find_classifiers, find_weights
from googlenet_rcnn.backbone.caffe import from_caffe
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.classifier import Classifier
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.datasets.label_list import load_labels

MODEL = Path(str(files("googlenet_rcnn.backbone"))) / "shipped" / "voc20.safetensors"
BVLC = SHARED / "weights" / "bvlc_googlenet.safetensors"


def test_it_is_the_default_and_may_start_other_networks() -> None:
    assert find_classifiers([]) == [MODEL]
    assert find_weights(DEFAULT_CLASSIFIER, "--init") == MODEL


def test_it_is_small_and_in_half_precision() -> None:
    assert MODEL.stat().st_size <= 12_500_000
    tensors = read_tensors(MODEL)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def test_its_card_says_what_it_is_and_where_it_comes_from() -> None:
    card = read_card(MODEL)
    assert (card.task, card.arch, card.heads, card.squash) == ("classifier", "googlenet", False, True)
    assert sorted(card.labels) == sorted(load_labels("voc20").names)
    assert card.ranges is not None
    assert card.metrics == {}  # it has learned from val
    assert "trainval" in card.data
    for name in ("recipe", "versions", "licence", "provenance"):
        assert getattr(card, name), name


@needs_shared
def test_its_weights_are_not_those_of_the_classifier_it_began_from() -> None:
    began, ended = from_caffe(read_tensors(BVLC)), read_tensors(MODEL)
    same = [name for name, one in ended.items() if name in began and torch.equal(one, began[name].half())]
    assert len(same) <= 3
    assert all(name.endswith("bias") for name in same)  # they moved by less than half precision shows


@pytest.mark.parametrize(("picture", "name"), [("chelsea", "cat"), ("astronaut", "person")])
def test_it_names_what_a_picture_shows(picture, name) -> None:
    pixels = getattr(pytest.importorskip("skimage.data"), picture)()
    classifier = Classifier.load([MODEL], "torch")
    assert classifier.labels.names[int(classifier.probabilities(pixels).argmax())] == name
