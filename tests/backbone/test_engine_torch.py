"""Inference does not depend on how crops are grouped, and sees what the Card says."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from googlenet_rcnn.backbone import engine_torch
from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.engine_torch import TorchEngine, keep_freed_memory, run_batches
from googlenet_rcnn.backbone.googlenet import GoogLeNet, Logits
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError

pytestmark = pytest.mark.usefixtures("one_thread")

CARD = Card(labels=("cat", "dog"), task="detector", box_regression=True)


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


@pytest.mark.parametrize("most", [1, 3, 4, 8, 100])
def test_micro_batches_are_halved_until_memory_suffices(most: int) -> None:
    seen = []

    def look(x):
        seen.append(len(x))
        if len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return x.flatten(1).sum(dim=1, keepdim=True)

    pixels = crops(21, 3)
    got = run_batches(look, pixels, Preprocessing(), batch=8)
    assert torch.equal(got, to_input(pixels, Preprocessing()).flatten(1).sum(dim=1, keepdim=True))
    too_many = [count for count in seen if count > most]
    assert too_many == [count for count in (8, 4, 2) if count > most]  # each size is tried once
    assert sum(seen) - sum(too_many) == 21


def test_one_crop_that_is_too_large_and_other_errors_are_not_hidden() -> None:
    def refuse(error):
        def look(x):
            raise error

        return look

    for error in (MemoryError(), ValueError("something else")):
        with pytest.raises(type(error)):
            run_batches(refuse(error), crops(5), Preprocessing())


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


class Shadow(nn.Module):
    """A network of two scores and their offsets that counts the sizes of the batches it sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Conv2d(3, 11, 16)
        self.sizes: list[int] = []

    def forward(self, x: torch.Tensor) -> Logits:
        self.sizes.append(len(x))
        out = self.inner(x).flatten(1)
        return Logits(out[:, :3], offsets=out[:, 3:])

    def trunk(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.inner(x))

    lower = trunk

    def pooled(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return build_network(CARD).eval()


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "detector.safetensors"
    save_weights(path, network.state_dict(), CARD)
    return path


def test_scores_are_logits_and_offsets_side_by_side(network) -> None:
    pixels = crops(2, 224)
    rows = TorchEngine(network, CARD).run(pixels)
    with torch.inference_mode():
        answer = network(to_input(pixels, CARD.preprocessing))
    assert (rows.shape, rows.dtype) == ((2, 3 + 8), np.float32)
    np.testing.assert_allclose(rows, np.hstack([answer.main.numpy(), answer.offsets.numpy()]), rtol=1e-5, atol=1e-5)


def test_the_trunk_gives_the_map_of_4e_of_any_size(network) -> None:
    engine = TorchEngine(network, CARD, "trunk")
    assert engine.run(crops(1, 224)).shape == (1, 832, 14, 14)
    wide = np.ascontiguousarray(crops(1, 160)[:, :96])
    with torch.inference_mode():
        expected = network.trunk(to_input(wide, CARD.preprocessing)).numpy()
    np.testing.assert_allclose(engine.run(wide), expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.parametrize("part", ["scores", "features", "trunk"])
def test_no_pixels_give_no_rows_of_the_right_shape(part) -> None:
    engine = TorchEngine(Shadow(), CARD, part)
    assert engine.run(crops(0)).shape == (0, *engine.run(crops(1)).shape[1:])


def test_a_file_gives_the_same_as_its_network_and_is_read_once_for_both_parts(checkpoint, network, monkeypatch) -> None:
    reads = []
    load = engine_torch.load_network
    monkeypatch.setattr(engine_torch, "load_network", lambda path: reads.append(path) or load(path))
    scores, trunk = TorchEngine.load(checkpoint), TorchEngine.load(checkpoint, "trunk", threads=1)
    assert (scores.name, scores.part, trunk.part, scores.card) == ("torch", "scores", "trunk", CARD)
    assert reads == [checkpoint]
    assert scores.network is trunk.network
    assert not scores.network.training
    pixels = crops(1, 224)
    assert np.array_equal(scores.run(pixels), TorchEngine(network, CARD).run(pixels))


def test_a_file_that_was_written_anew_is_read_anew(network, tmp_path) -> None:
    path = tmp_path / "x.safetensors"
    save_weights(path, network.state_dict(), CARD)
    before = TorchEngine.load(path)
    save_weights(path, {name: value * 2 for name, value in network.state_dict().items()}, CARD)
    after = TorchEngine.load(path)
    assert after.network is not before.network
    assert torch.equal(after.network.classifier.bias, before.network.classifier.bias * 2)


def test_a_missing_file_and_a_missing_compiler_are_said(checkpoint, tmp_path, monkeypatch) -> None:
    with pytest.raises(ModelError, match="gone") as caught:
        TorchEngine.load(tmp_path / "gone.safetensors")
    assert caught.value.code == "MODEL_MISSING"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ModelError, match="compiler") as caught:
        TorchEngine.load(checkpoint, compiled=True)
    assert caught.value.code == "RUNTIME_MISSING"


def test_what_is_compiled_sees_two_sizes_only(monkeypatch) -> None:
    network, eager = Shadow().eval(), Shadow().eval()
    monkeypatch.setattr(torch, "compile", lambda function: function)
    engine = TorchEngine(network, CARD, batch=4, compiled=True)
    assert engine.name == "torch-compile"
    for count in (1, 2, 4, 5, 7, 0):
        found = engine.run(crops(count))
        np.testing.assert_allclose(found, TorchEngine(eager, CARD).run(crops(count)), rtol=1e-4, atol=1e-3)
    assert set(network.sizes) == {1, 4}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_is_the_same_network(network) -> None:
    pixels = crops(3, 224)
    eager = TorchEngine(network, CARD, batch=4)
    compiled = replace(eager, compiled=True).run(pixels)
    np.testing.assert_allclose(compiled, eager.run(pixels), rtol=1e-3, atol=1e-3)


def test_callers_take_turns() -> None:
    engine = TorchEngine(Shadow(), CARD)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(engine.run, [crops(5)[first : first + 2] for first in range(4)]))
    for first, row in enumerate(rows):
        np.testing.assert_allclose(row, engine.run(crops(5))[first : first + 2], rtol=1e-4, atol=1e-3)
