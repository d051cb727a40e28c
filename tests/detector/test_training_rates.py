import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from stub_parts import FixedProposer
from tiny_voc import truth

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.types import Sample, Size
from googlenet_rcnn.detector.budget import Work, estimate
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe
from googlenet_rcnn.detector.screen_training import ScreenRecipe
from googlenet_rcnn.detector.screening import ScreenHeadSettings
from googlenet_rcnn.detector.training_rates import measure_rates

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = DetectorRecipe(screen=ScreenRecipe(head=ScreenHeadSettings(side=32, channels=2, hidden=2), boxes=4))


class Counting(FixedProposer):
    """Remembers the pictures it was asked about."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def propose(self, image):
        self.seen.append(int(image.sum()))
        return super().propose(image)


@pytest.fixture(scope="module")
def init(tmp_path_factory):
    """A classifier with random weights."""
    path = tmp_path_factory.mktemp("init") / "init.safetensors"
    card = Card(labels=("a", "b", "c"), warp_side=64)
    save_weights(path, build_network(card).state_dict(), card)
    return path


@pytest.fixture
def samples(tmp_path):
    """Nine pictures."""
    found = []
    for number in range(9):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(photo(), 9 * number, axis=1)[: 40 + number]).save(path)
        found.append(Sample(path.stem, path, truth(size=Size(40 + number, 80))))
    return found


def test_rates_are_numbers_an_estimate_can_be_made_of(init, samples):
    proposer, before = Counting(), init.read_bytes()
    rates = measure_rates(RECIPE, init, ("cat", "dog"), samples, proposer, patience=0)
    assert all(np.isfinite(rate) and rate > 0 for rate in rates)
    assert rates.network < rates.frozen  # a step goes forward through all layers, and back
    assert rates.network < rates.head
    assert np.isfinite(estimate(RECIPE, Work(9, 9, 3), rates).total)
    assert len(set(proposer.seen)) == len(proposer.seen) == 6
    assert init.read_bytes() == before


def test_a_measurement_leaves_gradients_on_and_works_without_box_regression(init, samples):
    recipe = RECIPE.model_copy(update={"box_regression": False})
    assert all(measure_rates(recipe, init, ("cat",), samples[:1], Counting(), patience=0))
    assert torch.is_grad_enabled()
