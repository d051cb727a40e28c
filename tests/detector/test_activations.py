"""The cache of activations: right, lazy, mended, and indifferent to interruptions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from safetensors.numpy import load_file, save_file
from stub_parts import FixedProposer
from tiny_voc import truth

from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Sample, Size
from googlenet_rcnn.detector.activations import ActivationCache, window_crops
from googlenet_rcnn.detector.sampling import Windows, WindowSampling
from googlenet_rcnn.detector.warp import Warp

SIZE = Size(60, 80)
OBJECT = (5, 10, 45, 50)
PROPOSALS = FixedProposer(((5, 10, 44, 50), (0, 0, 20, 20), (30, 30, 80, 60), (50, 0, 70, 30), (2, 5, 50, 55)))


class Lower:
    """Stands for the frozen network: every 32nd pixel, and counts its work."""

    def __init__(self) -> None:
        self.crops = 0

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.crops += len(x)
        return x[:, :, ::32, ::32] / 256


@pytest.fixture
def samples(tmp_path):
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(photo(*SIZE), number * 7, axis=1)).save(path)
        made.append(Sample(f"a/{number}", path, truth([(1, OBJECT, False)], SIZE)))
    return made


@pytest.fixture
def cache(tmp_path):
    return ActivationCache(
        tmp_path / "cache", Lower(), Preprocessing(), PROPOSALS, Warp(), WindowSampling(), 7, "weights"
    )


def contents(cache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.root.iterdir())}


def elsewhere(cache, tmp_path):
    return replace(cache, folder=tmp_path / "other", lower=Lower())


def test_a_shard_holds_what_computing_it_by_hand_gives(cache, samples) -> None:
    for sample, shard in zip(samples, cache.build(samples), strict=True):
        stored = load_file(shard.path)
        pixels = read_image(sample.path).pixels
        direct = []
        for box, mirrored in zip(stored["boxes"], stored["mirrored"], strict=True):
            crop = cache.warp.crops(pixels, replace(sample.truth.boxes, coordinates=box[None]))
            direct.append(crop[:, :, ::-1] if mirrored else crop)
        values = run_batches(Lower(), np.concatenate(direct), cache.preprocessing).half().numpy()
        assert stored["activations"].dtype == np.float16
        assert np.array_equal(stored["activations"], values)
        assert stored["boxes"][0].tolist() == list(OBJECT)
        assert stored["labels"][0] == 2
        for name in ("boxes", "labels", "mirrored"):
            assert np.array_equal(stored[name], getattr(shard, name))


def test_mirrored_windows_are_flipped_left_to_right() -> None:
    pixels, boxes = photo(*SIZE), truth([(0, OBJECT, False)] * 2, SIZE).boxes
    plain, mirrored = window_crops(pixels, Windows(boxes, np.zeros(2, np.int64), np.array([False, True])), Warp())
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert not np.array_equal(mirrored, plain)


def test_the_second_build_computes_nothing(cache, samples) -> None:
    first = list(cache.build(samples))
    before, written = cache.lower.crops, contents(cache)
    for sample in samples:
        sample.path.unlink()  # nor does it read an image
    second = list(cache.build(samples))
    assert cache.lower.crops == before
    assert contents(cache) == written
    assert [shard.path for shard in first] == [shard.path for shard in second]
    assert all(np.array_equal(a.boxes, b.boxes) for a, b in zip(first, second, strict=True))


def without_activations(path) -> None:
    tensors = load_file(path)
    save_file({name: tensors[name] for name in ("boxes", "labels", "mirrored")}, path)


def fewer_activations(path) -> None:
    tensors = load_file(path)
    save_file(tensors | {"activations": tensors["activations"][:1]}, path)


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
def test_a_damaged_shard_is_made_again_and_no_other(cache, samples, damage) -> None:
    shards = list(cache.build(samples))
    written, before = contents(cache), cache.lower.crops
    damage(shards[2].path)
    list(cache.build(samples))
    assert contents(cache) == written
    assert cache.lower.crops - before == len(shards[2].labels)


@pytest.mark.parametrize("rows", [[(0, OBJECT, False)], [(1, (5, 10, 40, 50), False)], [(1, OBJECT, False)] * 2])
def test_other_objects_make_other_shards(cache, samples, rows) -> None:
    list(cache.build(samples[:1]))
    changed = replace(samples[0], truth=truth(rows, SIZE))
    (shard,) = cache.build([changed])
    assert shard.labels[: len(rows)].tolist() == [label + 1 for label, _, _ in rows]


@pytest.mark.parametrize(
    "change",
    [
        {"preprocessing": Preprocessing(order="RGB")},
        {"proposer": FixedProposer(PROPOSALS.rows[:-1])},
        {"warp": Warp(context=8)},
        {"sampling": WindowSampling(hard=1)},
        {"seed": 8},
        {"identity": "other weights"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_setting_has_its_own_folder(cache, change) -> None:
    assert replace(cache, **change).root != cache.root
    assert replace(cache).root == cache.root


@pytest.mark.parametrize("after", [1, 4])
def test_interrupted_and_continued_equals_at_once(cache, samples, tmp_path, after) -> None:
    building = cache.build(samples)
    for _ in range(after):
        next(building)
    building.close()
    assert len(contents(cache)) == after
    list(cache.build(samples))
    at_once = elsewhere(cache, tmp_path)
    list(at_once.build(samples))
    assert contents(cache) == contents(at_once)
    assert cache.lower.crops == at_once.lower.crops


def test_order_and_company_of_images_do_not_matter(cache, samples, tmp_path) -> None:
    list(cache.build(samples))
    other = elsewhere(cache, tmp_path)
    shards = [*other.build(samples[4:]), *other.build(samples[::-1])]
    assert contents(other) == contents(cache)
    assert [s.sample.image_id for s in shards] == [f"a/{n}" for n in (4, 5, 5, 4, 3, 2, 1, 0)]


def test_an_image_without_windows_has_an_empty_shard(cache, samples) -> None:
    bare = replace(samples[0], truth=truth([], SIZE))
    (shard,) = replace(cache, proposer=FixedProposer()).build([bare])
    assert len(shard.labels) == 0
    assert load_file(shard.path)["activations"].shape == (0, 3, 7, 7)


def test_no_images(cache) -> None:
    assert list(cache.build([])) == []


@pytest.mark.parametrize(("given", "code"), [(None, "ANN_MISSING"), (truth([], Size(80, 60)), "SIZE_MISMATCH")])
def test_annotations_that_cannot_be_used_are_named(cache, samples, given, code) -> None:
    with pytest.raises(DataError, match=r"1\.png") as caught:
        list(cache.build([samples[0], replace(samples[1], truth=given)]))
    assert caught.value.code == code
    assert len(contents(cache)) == 1
