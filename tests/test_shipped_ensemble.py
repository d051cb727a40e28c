"""The ensemble in models/: that its members belong together, were trained, differ, and are small enough."""

from pathlib import Path

import numpy as np
import pytest

from googlenet_rcnn.api.ensemble_card import read_ensemble
from googlenet_rcnn.api.weights_files import find_members
from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card

CARD = Path(__file__).parents[1] / "models" / "voc07-three" / "ensemble.toml"


@pytest.fixture(scope="module")
def members():
    return find_members([str(CARD)])


def test_there_are_three_and_together_they_have_at_most_60_mb(members) -> None:
    assert len(members) == len(read_ensemble(CARD).members) == 3
    assert sum(path.stat().st_size for path in members) < 60e6
    in_folder = {path.name for path in CARD.parent.glob("*.safetensors")}
    assert in_folder == {path.name for path in members if path.parent == CARD.parent}


def test_they_find_the_same_classes_and_see_boxes_in_different_ways(members) -> None:
    cards = [read_card(path) for path in members]
    assert len({card.labels for card in cards}) == 1
    assert [card.warp_context for card in cards] == [16, 40, 0]
    assert all(card.box_regression and card.ranges for card in cards)
    assert all("trainval" in card.data for card in cards)
    assert [card.screen is not None for card in cards] == [True, False, False]


def test_the_two_were_trained_from_4a_up_and_share_what_lies_below(members) -> None:
    first, *others = (read_arrays(path, "") for path in members)
    below = ("conv", "inception3")
    for arrays in others:
        for name, value in arrays.items():
            assert np.isfinite(value).all()
            assert np.array_equal(value, first[name]) == name.startswith(below), name
