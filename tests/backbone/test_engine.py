"""Inference does not depend on how crops are grouped, and sees what the Card says."""

import numpy as np
import pytest
import torch
from torch import nn

from googlenet_rcnn.backbone.engine import keep_freed_memory, run_batches
from googlenet_rcnn.backbone.googlenet import GoogLeNet
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.card import Preprocessing


def crops(count: int, side: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_input_is_bgr_minus_mean_and_the_fill_colour_is_zero() -> None:
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 0, 1] = (10, 20, 30)  # red, green, blue
    x = to_input(pixels, Preprocessing())
    assert x.shape == (1, 3, 2, 2)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert x[0, :, 0, 1].tolist() == [30 - 104, 20 - 117, 10 - 123]
    pixels[:] = Preprocessing().fill
    assert not to_input(pixels, Preprocessing()).any()


def test_input_of_another_card_is_torchvisions_normalisation() -> None:
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    card = Preprocessing(order="RGB", scale=1 / 255, mean=mean, deviation=deviation)
    pixels = crops(2)
    expected = (pixels / 255.0 - mean) / deviation
    np.testing.assert_allclose(to_input(pixels, card).permute(0, 2, 3, 1).numpy(), expected, atol=1e-5)
    assert torch.equal(to_input(torch.from_numpy(pixels), card), to_input(pixels, card))


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
def test_batch_size_does_not_matter(batch: int) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 5))
    whole = network(to_input(crops(7), Preprocessing())).detach()
    got = run_batches(network, crops(7), Preprocessing(), batch=batch)
    torch.testing.assert_close(got, whole, rtol=1e-5, atol=1e-5)
    assert not got.requires_grad


def test_batch_size_does_not_matter_to_googlenet() -> None:
    keep_freed_memory()
    torch.manual_seed(0)
    network = GoogLeNet(5).eval().to(memory_format=torch.channels_last)
    one, three = (run_batches(network.lower, crops(3, 224), Preprocessing(), batch=b) for b in (1, 3))
    torch.testing.assert_close(one, three, rtol=1e-5, atol=1e-5 * float(three.abs().max()))


def test_no_crops_give_an_empty_answer_of_the_right_shape() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    assert run_batches(network, crops(0), Preprocessing()).shape == (0, 5)
