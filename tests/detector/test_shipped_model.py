"""The weights that come with the package: small, described, trained throughout, and able to see."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from shared_data import SHARED, needs_shared
from stub_parts import FixedProposer

from googlenet_rcnn.backbone.caffe import from_caffe
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.regions import GoogLeNetRegions
from googlenet_rcnn.detector.view import views_of
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union

MODEL = Path(str(files("googlenet_rcnn.detector"))) / "weights" / "voc07.safetensors"
BVLC = SHARED / "weights" / "bvlc_googlenet.safetensors"


def test_it_is_small_and_in_half_precision() -> None:
    assert MODEL.stat().st_size <= 16_000_000
    tensors = read_tensors(MODEL)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def test_its_card_says_what_it_is_and_where_it_comes_from() -> None:
    card = read_card(MODEL)
    assert (card.task, card.arch) == ("detector", "googlenet")
    assert card.labels == load_labels("voc20").names
    assert card.seed is not None
    for name in ("recipe", "data", "versions", "licence", "provenance"):
        assert getattr(card, name), name


@needs_shared
def test_no_tensor_is_that_of_the_classifier_it_began_from() -> None:
    began = from_caffe(read_tensors(BVLC))
    ended = read_tensors(MODEL)
    same = [name for name, tensor in ended.items() if name in began and torch.equal(tensor, began[name].half())]
    assert same == []


def generous_boxes(height: int, width: int) -> FixedProposer:
    """The whole picture and large parts of it."""
    cuts = np.array([0, 0.25, 0.5, 0.75, 1])
    pairs = [(a, b) for a in cuts for b in cuts if b - a >= 0.5]
    rows = [(x1 * width, y1 * height, x2 * width, y2 * height) for x1, x2 in pairs for y1, y2 in pairs]
    return FixedProposer(tuple(tuple(map(float, row)) for row in rows), "generous")


def best_score(picture: np.ndarray, name: str, limit: int | None) -> float:
    search = SelectiveSearch.preset("fast", superpixel_scale=2)
    classifier = GoogLeNetRegions.load(MODEL, "torch")
    proposer = Union((generous_boxes(*picture.shape[:2]), search), limit=limit)
    found = Detector(proposer, views_of([classifier])).detect(picture).detections
    scores = found.scores[found.labels == classifier.labels.index(name)]
    return float(scores.max(initial=0))


PICTURES = [("chelsea", "cat"), ("astronaut", "person")]


@pytest.mark.parametrize(("picture", "name"), PICTURES)
def test_sees_what_is_there_among_few_proposals(picture, name) -> None:
    data = pytest.importorskip("skimage.data")
    assert best_score(getattr(data, picture)(), name, limit=40) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("picture", "name"), PICTURES)
def test_sees_what_is_there_among_all_proposals(picture, name) -> None:
    data = pytest.importorskip("skimage.data")
    assert best_score(getattr(data, picture)(), name, limit=None) > 0.5
