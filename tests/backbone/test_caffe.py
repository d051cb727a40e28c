"""The published Caffe model is ours under other names, and classifies as it does in Caffe."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from shared_data import SHARED, needs_shared

from googlenet_rcnn.backbone.caffe import BVLC_PREPROCESSING, from_caffe, is_caffe
from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.backbone.googlenet import GoogLeNet
from googlenet_rcnn.backbone.weights import load_weights, read_tensors
from googlenet_rcnn.backbone.widths import PAPER
from googlenet_rcnn.core.errors import ModelError

BRANCHES = ("1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj")
STEM = ["conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3"]
BODY = [f"inception_{name}/{branch}" for name in PAPER for branch in BRANCHES]
HEADS = [f"loss{head}/{layer}" for head in (1, 2) for layer in ("conv", "fc", "classifier")]


def caffe_tensors(layers: list[str]) -> dict[str, torch.Tensor]:
    return {f"{layer}.{kind}": torch.zeros(1) for layer in layers for kind in ("weight", "bias")}


@pytest.mark.parametrize("heads", [False, True])
def test_renaming_is_a_bijection(heads: bool) -> None:
    theirs = caffe_tensors([*STEM, *BODY, "loss3/classifier", *(HEADS if heads else [])])
    with torch.device("meta"):
        ours = GoogLeNet(1000, heads=heads).state_dict()
    renamed = from_caffe(theirs)
    assert len(renamed) == len(theirs)
    assert set(renamed) == set(ours)
    assert is_caffe(theirs)
    assert not is_caffe(renamed)


@pytest.mark.parametrize("layer", ["inception_3a/7x7", "inception_6a/1x1", "loss3/fc", "fc8", ""])
def test_a_layer_of_another_network_is_named(layer: str) -> None:
    with pytest.raises(ModelError, match=f"MODEL_INVALID.*lacks: {layer}$"):
        from_caffe({f"{layer}.weight": torch.zeros(1)})


@cache
def published() -> GoogLeNet:
    network = GoogLeNet(1000)
    path = SHARED / "weights" / "bvlc_googlenet.safetensors"
    load_weights(network, from_caffe(read_tensors(path)), str(path))
    return network.eval().to(memory_format=torch.channels_last)


def centre(path: Path) -> np.ndarray:
    """The middle 224x224 of an image whose short side was made 256."""
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    factor = 256 / min(image.shape[:2])
    height, width = (round(side * factor) for side in image.shape[:2])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    top, left = (height - 224) // 2, (width - 224) // 2
    return image[top : top + 224, left : left + 224]


def ranks(every: int) -> np.ndarray:
    """Place of the true class among the answers, for each `every`-th class of the sample."""
    folders = sorted(path for path in (SHARED / "imagenet-sample").iterdir() if path.is_dir())
    chosen = range(0, len(folders), every)
    crops = np.stack([centre(next(folders[i].iterdir())) for i in chosen])
    scores = run_batches(lambda x: published()(x).main, crops, BVLC_PREPROCESSING).numpy()
    truth = scores[np.arange(len(chosen)), list(chosen)]
    return (scores > truth[:, None]).sum(axis=1)


@needs_shared
def test_published_weights_know_most_of_a_few_images() -> None:
    found = ranks(every=50)
    assert len(found) == 20
    assert (found == 0).mean() >= 0.5
    assert (found < 5).mean() >= 0.8


@needs_shared
@pytest.mark.slow
def test_published_weights_reach_their_accuracy() -> None:
    found = ranks(every=1)
    assert len(found) == 1000
    assert (found == 0).mean() >= 0.735
    assert (found < 5).mean() >= 0.92
