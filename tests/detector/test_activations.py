"""The cache of activations: right, lazy, mended, and indifferent to interruptions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from safetensors.numpy import load_file, save_file
from tiny_voc import truth

from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes, Sample, Size
from googlenet_rcnn.detector.activations import ActivationCache
from googlenet_rcnn.detector.sampling import Windows
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows

SIZE = Size(60, 80)
WINDOWS = Windows(
    Boxes(np.array([(5, 10, 45, 50), (0, 0, 20, 20), (30, 30, 80, 60)]), SIZE),
    np.array([2, 0, 1]),
    np.array([1, 0, 0.25]),
    np.array([(5, 10, 45, 50), (0, 0, 20, 20), (20, 30, 70, 60)], np.float32),
    np.array([False, True, False]),
)


class Lower:
    """Stands for the frozen network: every 32nd pixel, and counts its work."""

    def __init__(self) -> None:
        self.crops = 0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.crops += len(x)
        return x[:, :, ::32, ::32] / 256


@pytest.fixture
def images(tmp_path):
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(photo(*SIZE), number * 7, axis=1)).save(path)
        made.append(ImageWindows(Sample(f"a/{number}", path, truth([], SIZE)), WINDOWS, f"digest {number}"))
    return made


@pytest.fixture
def cache(tmp_path):
    return ActivationCache(tmp_path / "cache", Lower(), Preprocessing(), Warp(), "windows", "weights")


def contents(cache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.root.iterdir())}


def elsewhere(cache, tmp_path):
    return replace(cache, folder=tmp_path / "other", lower=Lower())


def test_a_shard_holds_what_computing_it_by_hand_gives(cache, images) -> None:
    for image, shard in zip(images, cache.build(images), strict=True):
        pixels = read_image(image.sample.path).pixels
        direct = []
        for row, mirrored in enumerate(WINDOWS.mirrored):
            crop = cache.warp.crops(pixels, WINDOWS.boxes[row : row + 1])
            direct.append(crop[:, :, ::-1] if mirrored else crop)
        values = run_batches(Lower(), np.concatenate(direct), cache.preprocessing).half().numpy()
        stored = load_file(shard.path)["activations"]
        assert stored.dtype == np.float16
        assert np.array_equal(stored, values)
        assert shard.image is image


def test_the_second_build_computes_nothing(cache, images) -> None:
    first = list(cache.build(images))
    before, written = cache.lower.crops, contents(cache)
    for image in images:
        image.sample.path.unlink()  # nor does it read an image
    second = list(cache.build(images))
    assert cache.lower.crops == before
    assert contents(cache) == written
    assert [shard.path for shard in first] == [shard.path for shard in second]


def without_activations(path) -> None:
    save_file({"other": np.zeros(3)}, path)


def fewer_activations(path) -> None:
    save_file({"activations": load_file(path)["activations"][:1]}, path)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte lost": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "rubbish": lambda path: path.write_bytes(b"\xff" * 1000),
    "no activations": without_activations,
    "fewer activations": fewer_activations,
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_shard_is_made_again_and_no_other(cache, images, damage) -> None:
    shards = list(cache.build(images))
    written, before = contents(cache), cache.lower.crops
    damage(shards[2].path)
    list(cache.build(images))
    assert contents(cache) == written
    assert cache.lower.crops - before == len(WINDOWS.labels)


def test_other_windows_have_other_activations(cache, images) -> None:
    list(cache.build(images))
    before = cache.lower.crops
    list(cache.build([images[0]._replace(digest="moved"), *images[1:]]))
    assert cache.lower.crops - before == len(WINDOWS.labels)


@pytest.mark.parametrize(
    "change",
    [
        {"preprocessing": Preprocessing(order="RGB")},
        {"warp": Warp(context=8)},
        {"windows_key": "other windows"},
        {"identity": "other weights"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_has_its_own_folder(cache, change) -> None:
    assert replace(cache, **change).root != cache.root
    assert replace(cache).root == cache.root


@pytest.mark.parametrize("after", [1, 4])
def test_interrupted_and_continued_equals_at_once(cache, images, tmp_path, after) -> None:
    building = cache.build(images)
    for _ in range(after):
        next(building)
    building.close()
    assert len(contents(cache)) == after
    list(cache.build(images))
    at_once = elsewhere(cache, tmp_path)
    list(at_once.build(images))
    assert contents(cache) == contents(at_once)
    assert cache.lower.crops == at_once.lower.crops


def test_order_and_company_of_images_do_not_matter(cache, images, tmp_path) -> None:
    list(cache.build(images))
    other = elsewhere(cache, tmp_path)
    list(other.build(images[4:]))
    list(other.build(images[::-1]))
    assert contents(other) == contents(cache)


def test_an_image_without_windows_has_an_empty_shard(cache, images) -> None:
    none = Windows(*(column[:0] for column in WINDOWS))
    (shard,) = cache.build([images[0]._replace(windows=none)])
    assert load_file(shard.path)["activations"].shape == (0, 3, 7, 7)


def test_no_images(cache) -> None:
    assert list(cache.build([])) == []
