"""Shards: what lies in them, which are made, how far ahead crops are cut, and what an error leaves behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from googlenet_rcnn.backbone.activation_shards import (
    ActivationShards,
    CropSource,
    read_activation,
    read_activations,
    settings_key,
    shard_name,
)
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.errors import DataError

PLAIN = Preprocessing(order="RGB", mean=(0.0, 0.0, 0.0))


class Answer:
    """Stands for layers of a network: every second pixel; notes how many crops it saw at a time."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, crops: np.ndarray) -> torch.Tensor:
        self.batches.append(len(crops))
        return torch.from_numpy(crops).permute(0, 3, 1, 2)[:, :, ::2, ::2] / 3


class Images:
    """Sources whose crops are of one colour each; notes which were cut, and when."""

    def __init__(self, crops: int = 2) -> None:
        self.cut: list[str] = []
        self.crops = crops
        self.broken: set[str] = set()

    def source(self, image_id: str, digest: str = "first") -> CropSource:
        def cut() -> np.ndarray:
            self.cut.append(image_id)
            if image_id in self.broken:
                raise DataError("BROKEN", f"{image_id} cannot be read")
            return colours(image_id, self.crops)

        return CropSource(image_id, digest, cut)


def colours(image_id: str, crops: int) -> np.ndarray:
    values = np.random.default_rng(sum(image_id.encode())).integers(0, 256, (crops, 1, 1, 3))
    return np.broadcast_to(values, (crops, 6, 6, 3)).astype(np.uint8)


@pytest.fixture
def images():
    return Images()


@pytest.fixture
def shards(tmp_path):
    return ActivationShards(tmp_path / "deep" / "cache", Answer())


def test_a_shard_holds_the_activations_of_its_crops_in_half_precision(shards, images) -> None:
    (path,) = shards.build([images.source("a")])
    expected = np.broadcast_to(colours("a", 2)[:, 0, 0, :, None, None] / 3, (2, 3, 3, 3)).astype(np.float16)
    stored = load_file(path)["activations"]
    assert stored.dtype == np.float16
    np.testing.assert_allclose(stored, expected, rtol=1e-3)
    for row in range(2):
        assert np.array_equal(read_activation(path, row), stored[row])


def test_paths_come_in_order_and_names_stay_within_the_folder(shards, images) -> None:
    names = ["b", "a", "train/deep/c", "x y"]
    paths = list(shards.build([images.source(name) for name in names]))
    assert [path.name for path in paths] == [shard_name(name) for name in names]
    assert {path.parent for path in paths} == {shards.root}
    assert "/" not in shard_name("train/deep/c")
    assert len({shard_name(name) for name in ("a/b", "a~b", "a%2Fb", "ab")}) == 4
    assert sorted(path.name for path in shards.root.iterdir()) == sorted(path.name for path in paths)


def test_only_what_is_missing_or_of_other_crops_is_made(shards, images) -> None:
    sources = [images.source(name) for name in "abcdef"]
    first = list(shards.build(sources))
    images.cut.clear()
    assert list(shards.build(sources)) == first
    assert images.cut == []
    first[1].unlink()
    first[4].write_bytes(b"rubbish")
    changed = [*sources[:2], images.source("c", "second"), *sources[3:]]
    assert list(shards.build(changed)) == first
    assert images.cut == ["b", "c", "e"]
    assert list(shards.build(changed)) == first
    assert images.cut == ["b", "c", "e"]


def test_a_shard_without_a_digest_is_made_again(shards, images) -> None:
    (path,) = shards.build([images.source("a")])
    data = path.read_bytes()
    save_file({"activations": load_file(path)["activations"]}, path)
    list(shards.build([images.source("a")]))
    assert path.read_bytes() == data


def test_crops_are_cut_a_few_images_ahead_and_no_more(shards, images) -> None:
    building = shards.build([images.source(f"{number:02d}") for number in range(30)])
    assert images.cut == []  # nor before the first is asked for
    for done in range(1, 31):
        next(building)
        assert done <= len(images.cut) <= done + 4
    assert images.cut == [f"{number:02d}" for number in range(30)]


def test_the_crops_of_an_image_are_asked_about_together(shards, images) -> None:
    images.crops = 40
    paths = list(shards.build([images.source("a"), images.source("b")]))
    assert shards.answer.batches == [40, 40]
    for path in paths:
        assert np.array_equal(read_activations(path), load_file(path)["activations"])


def test_an_image_without_crops_has_an_empty_shard(shards, images) -> None:
    images.crops = 0
    (path,) = shards.build([images.source("a")])
    assert load_file(path)["activations"].shape == (0, 3, 3, 3)
    assert list(shards.build([])) == []


def test_an_error_of_one_image_keeps_the_shards_before_it(shards, images) -> None:
    sources = [images.source(name) for name in "abcd"]
    images.broken = {"c"}
    with pytest.raises(DataError, match="c cannot be read"):
        list(shards.build(sources))
    assert sorted(path.name for path in shards.root.iterdir()) == ["a.safetensors", "b.safetensors"]
    images.broken, images.cut = set(), []
    assert len(list(shards.build(sources))) == 4
    assert images.cut == ["c", "d"]


def test_interrupted_and_continued_equals_at_once(shards, images, tmp_path) -> None:
    sources = [images.source(name) for name in "abcdefgh"]
    building = shards.build(sources)
    for _ in range(3):
        next(building)
    building.close()
    assert len(list(shards.root.iterdir())) == 3
    list(shards.build(sources))
    other = replace(shards, root=tmp_path / "other")
    list(other.build(sources[::-1]))
    for path in shards.root.iterdir():
        assert path.read_bytes() == (other.root / path.name).read_bytes()


def test_the_key_of_settings_is_a_name_for_their_values() -> None:
    settings = {"identity": "x", "warp": {"side": 224, "context": 16}, "mean": (1.0, 2.0)}
    key = settings_key(settings)
    assert key.isalnum()
    assert settings_key(dict(reversed(settings.items()))) == key
    others = [{}, settings | {"identity": "y"}, settings | {"warp": {"side": 224, "context": 8}}, settings | {"a": 1}]
    assert len({key, *map(settings_key, others)}) == 5
