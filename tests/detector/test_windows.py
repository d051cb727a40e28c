"""The cache of training windows: right, lazy, mended, and indifferent to interruptions."""

from dataclasses import replace

import numpy as np
import pytest
from hostile import photo
from PIL import Image
from safetensors.numpy import load_file, save_file
from stub_parts import FixedProposer
from tiny_voc import truth

import googlenet_rcnn.detector.windows as windows_module
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


def same(a: Windows, b: Windows) -> bool:
    """Whether two images' windows are equal to the byte."""
    pairs = zip((a.boxes.coordinates, *a[1:]), (b.boxes.coordinates, *b[1:]), strict=True)
    return all((one.dtype, one.tobytes()) == (other.dtype, other.tobytes()) for one, other in pairs)


def contents(cache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(cache.root.iterdir())}


def test_a_file_holds_the_windows_that_come_out(cache, samples) -> None:
    images = list(cache.build(samples))
    for image, path in zip(images, sorted(cache.root.iterdir()), strict=True):
        stored = load_file(path)
        assert stored["boxes"][0].tolist() == list(OBJECT)
        assert set(stored) == {"boxes", "mirrored"}  # what windows are worth is for the annotation to say
        assert (image.windows.labels[0], image.windows.overlaps[0]) == (2, 1)
        assert image.windows.objects[0].tolist() == list(OBJECT)
        assert np.array_equal(stored["boxes"], image.windows.boxes.coordinates)
        assert np.array_equal(stored["mirrored"], image.windows.mirrored)


def test_mirrored_windows_are_flipped_left_to_right() -> None:
    pixels, boxes = photo(*SIZE), truth([(0, OBJECT, False)] * 2, SIZE).boxes
    windows = Windows(boxes, np.zeros(2, np.int64), np.zeros(2), boxes.coordinates, np.array([False, True]))
    plain, mirrored = window_crops(pixels, windows, Warp())
    assert np.array_equal(mirrored, plain[:, ::-1])
    assert not np.array_equal(mirrored, plain)


def test_the_second_build_decodes_no_image_and_gives_the_same(cache, samples, monkeypatch) -> None:
    first = list(cache.build(samples))
    written = contents(cache)
    monkeypatch.setattr(windows_module, "sample_pixels", None)
    second = list(cache.build(samples))
    assert contents(cache) == written
    assert len({*first[0].windows.overlaps.tolist()}) > 2
    assert all(same(a.windows, b.windows) for a, b in zip(first, second, strict=True))


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte lost": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "rubbish": lambda path: path.write_bytes(b"\xff" * 1000),
    "no mirrored": lambda path: save_file({"boxes": load_file(path)["boxes"]}, path),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_made_again(cache, samples, damage) -> None:
    list(cache.build(samples))
    written = contents(cache)
    damage(sorted(cache.root.iterdir())[2])
    list(cache.build(samples))
    assert contents(cache) == written


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(1, (5, 10, 40, 50), False)], id="moved"),
        pytest.param([(1, OBJECT, False)] * 2, id="one more"),
        pytest.param([(1, OBJECT, True)], id="now difficult"),
        pytest.param([], id="none left"),
    ],
)
def test_other_objects_make_other_windows(cache, samples, tmp_path, rows) -> None:
    (before,) = cache.build(samples[:1])
    changed = replace(samples[0], truth=truth(rows, SIZE))
    (image,) = cache.build([changed])
    (fresh,) = replace(cache, folder=tmp_path / "other").build([changed])
    assert same(image.windows, fresh.windows)
    assert not same(image.windows, before.windows)
    kept = [(label + 1, list(box)) for label, box, difficult in rows if not difficult]
    assert image.windows.labels[: len(kept)].tolist() == [label for label, _ in kept]
    assert image.windows.boxes.coordinates[: len(kept)].tolist() == [box for _, box in kept]


def test_other_labels_are_read_from_the_annotation_and_no_image(cache, samples, tmp_path, monkeypatch) -> None:
    cat, dog = OBJECT, (28, 32, 80, 60)
    first = replace(samples[0], truth=truth([(0, cat, False), (1, dog, False)], SIZE))
    second = replace(samples[0], truth=truth([(6, cat, False), (3, dog, False)], SIZE))
    (before,) = cache.build([first])
    written = contents(cache)
    (fresh,) = replace(cache, folder=tmp_path / "other").build([second])
    monkeypatch.setattr(windows_module, "sample_pixels", None)
    (image,) = cache.build([second])
    assert contents(cache) == written
    assert same(image.windows, fresh.windows)
    new = {0: 0, 1: 7, 2: 4}
    assert {*before.windows.labels[2:].tolist()} == {*new}  # windows on either object, and on none
    assert image.windows.labels.tolist() == [new[label] for label in before.windows.labels.tolist()]
    assert same(image.windows._replace(labels=before.windows.labels), before.windows)


def test_another_image_under_the_same_name_makes_other_windows(cache, samples) -> None:
    before = list(cache.build(samples[:2]))
    Image.fromarray(photo(*SIZE)[::-1].copy()).save(samples[0].path)
    written = contents(cache)
    after = list(cache.build(samples[:2]))
    assert [a.digest == b.digest for a, b in zip(after, before, strict=True)] == [False, True]
    assert [contents(cache)[name] == written[name] for name in sorted(written)] == [False, True]


def test_the_digest_tells_windows_apart(cache, samples) -> None:
    other = replace(cache, seed=8)
    digests = [image.digest for one in (cache, other) for image in one.build(samples)]
    assert len(set(digests)) == 2 * len(samples)
    assert [image.digest for image in cache.build(samples)] == digests[: len(samples)]


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
