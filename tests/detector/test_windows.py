"""The cache of training windows: right, lazy, mended, and indifferent to interruptions."""

from dataclasses import replace

import numpy as np
import pytest
from hostile import photo
from PIL import Image
from safetensors.numpy import load_file
from stub_parts import FixedProposer
from tiny_voc import truth

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Sample, Size
from googlenet_rcnn.detector.sampling import Windows, WindowSampling
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import WindowCache, window_crops

SIZE = Size(60, 80)
OBJECT = (5, 10, 45, 50)
PROPOSALS = FixedProposer(((5, 10, 44, 50), (0, 0, 20, 20), (30, 30, 80, 60), (50, 0, 70, 30), (2, 5, 50, 55)))


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
    return WindowCache(tmp_path / "cache", PROPOSALS, WindowSampling(), 7)


def contents(cache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.root.iterdir())}


def test_a_file_holds_the_windows_that_come_out(cache, samples) -> None:
    images = list(cache.build(samples))
    for image, path in zip(images, sorted(cache.root.iterdir()), strict=True):
        stored = load_file(path)
        assert stored["boxes"][0].tolist() == list(OBJECT)
        assert stored["labels"][0] == 2
        assert np.array_equal(stored["boxes"], image.windows.boxes.coordinates)
        assert np.array_equal(stored["labels"], image.windows.labels)
        assert np.array_equal(stored["mirrored"], image.windows.mirrored)


def test_mirrored_windows_are_flipped_left_to_right() -> None:
    pixels, boxes = photo(*SIZE), truth([(0, OBJECT, False)] * 2, SIZE).boxes
    plain, mirrored = window_crops(pixels, Windows(boxes, np.zeros(2, np.int64), np.array([False, True])), Warp())
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert not np.array_equal(mirrored, plain)


def test_the_second_build_reads_no_image_and_gives_the_same(cache, samples) -> None:
    first = list(cache.build(samples))
    written = contents(cache)
    for sample in samples:
        sample.path.unlink()
    second = list(cache.build(samples))
    assert contents(cache) == written
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.windows.boxes.coordinates, b.windows.boxes.coordinates)
        assert np.array_equal(a.windows.labels, b.windows.labels)
        assert np.array_equal(a.windows.mirrored, b.windows.mirrored)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte lost": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "rubbish": lambda path: path.write_bytes(b"\xff" * 1000),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_made_again(cache, samples, damage) -> None:
    list(cache.build(samples))
    written = contents(cache)
    damage(sorted(cache.root.iterdir())[2])
    list(cache.build(samples))
    assert contents(cache) == written


@pytest.mark.parametrize("rows", [[(0, OBJECT, False)], [(1, (5, 10, 40, 50), False)], [(1, OBJECT, False)] * 2])
def test_other_objects_make_other_windows(cache, samples, rows) -> None:
    list(cache.build(samples[:1]))
    changed = replace(samples[0], truth=truth(rows, SIZE))
    (image,) = cache.build([changed])
    assert image.windows.labels[: len(rows)].tolist() == [label + 1 for label, _, _ in rows]


@pytest.mark.parametrize(
    "change",
    [{"proposer": FixedProposer(PROPOSALS.rows[:-1])}, {"sampling": WindowSampling(hard=1)}, {"seed": 8}],
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
    list(cache.build(samples))
    at_once = replace(cache, folder=tmp_path / "other")
    list(at_once.build(samples))
    assert contents(cache) == contents(at_once)


def test_order_and_company_of_images_do_not_matter(cache, samples, tmp_path) -> None:
    list(cache.build(samples))
    other = replace(cache, folder=tmp_path / "other")
    images = [*other.build(samples[4:]), *other.build(samples[::-1])]
    assert contents(other) == contents(cache)
    assert [image.sample.image_id for image in images] == [f"a/{n}" for n in (4, 5, 5, 4, 3, 2, 1, 0)]


def test_an_image_without_objects_or_proposals_has_no_windows(cache, samples) -> None:
    bare = replace(samples[0], truth=truth([], SIZE))
    (image,) = replace(cache, proposer=FixedProposer()).build([bare])
    assert len(image.windows.labels) == 0


def test_no_images(cache) -> None:
    assert list(cache.build([])) == []


@pytest.mark.parametrize(("given", "code"), [(None, "ANN_MISSING"), (truth([], Size(80, 60)), "SIZE_MISMATCH")])
def test_annotations_that_cannot_be_used_are_named(cache, samples, given, code) -> None:
    with pytest.raises(DataError, match=r"1\.png") as caught:
        list(cache.build([samples[0], replace(samples[1], truth=given)]))
    assert caught.value.code == code
