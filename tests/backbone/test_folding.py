"""Folded layers are plain convolutions that give what normalisation and preprocessing give."""

import numpy as np
import pytest
import torch
from drawn_networks import NORMALISED, PAPER, draw, pixels
from torch.nn import functional

from googlenet_rcnn.backbone.folding import fold_layers, pixel_mean
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.errors import ModelError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("card", [PAPER, NORMALISED], ids=["googlenet", "googlenet-bn"])
def test_the_first_layer_takes_pixels_less_the_mean(card, tmp_path) -> None:
    if card is NORMALISED:
        pytest.importorskip("torchvision")
    drawn = draw(tmp_path, card)
    images = pixels(1)
    weights, bias = fold_layers(drawn.arrays, drawn.card, "scores", "file")["conv1"]
    centred = torch.from_numpy(images - pixel_mean(card.preprocessing)).permute(0, 3, 1, 2).float()
    got = functional.conv2d(centred, torch.from_numpy(weights.copy()), torch.from_numpy(bias), 2, 3).relu()
    with torch.inference_mode():
        wanted = drawn.network.get_submodule("conv1")(to_input(images, card.preprocessing))
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4 * float(wanted.max()))


def test_both_architectures_fold_to_the_same_names(tmp_path) -> None:
    pytest.importorskip("torchvision")
    folded = [
        fold_layers(one.arrays, one.card, "scores", "file")
        for one in (draw(tmp_path, PAPER), draw(tmp_path, NORMALISED))
    ]
    assert folded[0].keys() - {"regressor"} == folded[1].keys()
    for name in folded[1].keys() - {"classifier"}:
        same = folded[0][name].weights.shape[:2] == folded[1][name].weights.shape[:2]
        assert same, name
    assert folded[0]["inception3a.branch5"].weights.shape[2:] == (5, 5)
    assert folded[1]["inception3a.branch5"].weights.shape[2:] == (3, 3)


def test_the_trunk_is_a_part_of_the_layers(tmp_path) -> None:
    drawn = draw(tmp_path)
    whole, trunk = (fold_layers(drawn.arrays, drawn.card, part, "file") for part in ("scores", "trunk"))
    missing = whole.keys() - trunk.keys()
    assert missing == {name for name in whole if name.startswith("inception5")} | {"classifier", "regressor"}
    bare = {name: value for name, value in drawn.arrays.items() if not name.startswith("classifier")}
    assert fold_layers(bare, drawn.card, "trunk", "file").keys() == trunk.keys()
    with pytest.raises(ModelError, match=r"the file lacks the tensor classifier\.weight"):
        fold_layers(bare, drawn.card, "scores", "the file")


def test_the_mean_is_told_in_pixels_and_rgb() -> None:
    assert pixel_mean(Preprocessing()).tolist() == [123, 117, 104]
    np.testing.assert_allclose(pixel_mean(NORMALISED.preprocessing), 127.5)
