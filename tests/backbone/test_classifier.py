"""Probabilities of whole images: means over views and networks, as the paper averages."""

import numpy as np
import pytest
import torch
from hostile import photo

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.classifier import Classifier, Member
from googlenet_rcnn.backbone.engine_torch import TorchEngine
from googlenet_rcnn.backbone.multicrop import multicrop
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError, UsageError

NAMES = ("cat", "dog", "cup")
RGB = Preprocessing(order="RGB", scale=1 / 255, mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.5, 0.5))


def network(seed, **card):
    """A network that has learnt nothing, with logits neither all alike nor so far apart that one class takes all."""
    torch.manual_seed(seed)
    described = Card(labels=NAMES, **card)
    built = build_network(described).eval()
    with torch.no_grad():
        logits = built(to_input(multicrop(photo(), 1, described.resize_filter), described.preprocessing)).main
        built.state_dict()["classifier.weight"].div_(logits.std())
    return Member(TorchEngine(built, described, batch=4), described)


@pytest.fixture(scope="module")
def two():
    return [network(0), network(1, preprocessing=RGB, resize_filter="cv2.INTER_AREA")]


def softmaxes(member, image, crops):
    """Rows [crops,K] without any of the classifier's own steps."""
    pixels = multicrop(image, crops, member.card.resize_filter)
    with torch.inference_mode():
        logits = member.engine.network(to_input(pixels, member.card.preprocessing)).main.double().numpy()
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("crops", [1, 10])
def test_probabilities_are_means_over_crops_and_then_over_networks(two, crops):
    """Each network gets its own resizing and its own preprocessing; the best crop may stand for the mean."""
    image = photo(120, 160)
    rows = [softmaxes(one, image, crops) for one in two]
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
    expected = np.mean([each.mean(axis=0) for each in rows], axis=0)
    found = Classifier(two).probabilities(image, crops)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.sum() == pytest.approx(1)
    best = Classifier(two).probabilities(image, crops, largest=True)
    np.testing.assert_allclose(best, np.mean([each.max(axis=0) for each in rows], axis=0), atol=1e-6)
    assert (best.sum() > 1 + 1e-5) == (crops == 10)


def test_each_network_looks_as_its_card_says():
    """Of a long picture a squashing network sees the ends, another the middle only."""
    image = np.zeros((50, 200, 3), np.uint8)
    ends = image.copy()
    ends[:, :40] = ends[:, -40:] = 255
    middle, whole = (Classifier([network(0, squash=squash)]) for squash in (False, True))
    np.testing.assert_array_equal(middle.probabilities(image), middle.probabilities(ends))
    assert np.abs(whole.probabilities(image) - whole.probabilities(ends)).max() > 1e-3
    both = Classifier([*middle.members, *whole.members]).probabilities(ends)
    np.testing.assert_allclose(both, (middle.probabilities(ends) + whole.probabilities(ends)) / 2, atol=1e-12)


def test_one_network_twice_is_that_network(two):
    image = photo()
    once, twice = (Classifier(two[:1] * times).probabilities(image) for times in (1, 2))
    np.testing.assert_array_equal(once, twice)


def test_an_image_is_judged_by_itself(two):
    classifier = Classifier(two)
    before = classifier.probabilities(photo()).tobytes()
    classifier.probabilities(photo(200, 50))
    assert classifier.probabilities(photo()).tobytes() == before


def test_it_is_read_from_checkpoints(two, tmp_path):
    paths = []
    for number, (engine, card) in enumerate(two):
        paths.append(tmp_path / f"{number}.safetensors")
        save_weights(paths[-1], engine.network.state_dict(), card)
    loaded = Classifier.load(paths, "torch", 1)
    assert loaded.runtimes == ["torch", "torch"]
    assert loaded.labels.names == NAMES
    np.testing.assert_array_equal(loaded.probabilities(photo()), Classifier(two).probabilities(photo()))


def test_what_is_no_classifier_or_has_other_labels_is_refused(two, tmp_path):
    detector = network(0, task="detector")
    save_weights(tmp_path / "detector.safetensors", detector.engine.network.state_dict(), detector.card)
    with pytest.raises(ModelError, match=r"MODEL_TASK.*detector"):
        Classifier.load([tmp_path / "detector.safetensors"])
    turned = Member(two[0].engine, two[0].card.model_copy(update={"labels": NAMES[::-1]}))
    with pytest.raises(UsageError, match="ENSEMBLE_LABELS"):
        Classifier([two[0], turned])
    with pytest.raises(ValueError, match="at least one"):
        Classifier([])
