"""Pixels from memory are those of the file, and no more of them are kept than was allowed."""

import pickle

import numpy as np
import pytest
from hostile import photo
from PIL import Image

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.detector import pixel_memory
from googlenet_rcnn.detector.pixel_memory import PixelMemory

ONE = 40 * 50 * 3  # bytes of a picture


@pytest.fixture
def paths(tmp_path):
    made = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(made):
        Image.fromarray(np.roll(photo(40, 50), 7 * number, axis=1)).save(path)
    return made


@pytest.fixture
def decoded(monkeypatch):
    """Names of the files that were decoded, in order."""
    names = []

    def read(path):
        names.append(path.stem)
        return read_image(path)

    monkeypatch.setattr(pixel_memory, "read_image", read)
    return names


@pytest.mark.parametrize("budget", [0, 2 * ONE, 1 << 40])
def test_pixels_are_those_of_the_file_whatever_the_budget(paths, budget) -> None:
    memory = PixelMemory(budget)
    for number in [*range(6), 2, 0, 5, 2, 2]:
        assert np.array_equal(memory.read(paths[number]), read_image(paths[number]).pixels)


def test_without_a_budget_small_pictures_are_decoded_once(paths, decoded) -> None:
    memory = PixelMemory()
    for _ in range(3):
        for path in paths:
            memory.read(path)
    assert decoded == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("kept", [1, 2, 3, 6])
@pytest.mark.parametrize("more", [0, ONE - 1])
def test_as_many_are_kept_as_the_budget_holds_the_latest_ones(paths, decoded, kept, more) -> None:
    memory = PixelMemory(kept * ONE + more)
    for path in paths:
        memory.read(path)
    decoded.clear()
    for path in reversed(paths):  # those that are kept come first, and reading them drives out none
        memory.read(path)
    assert decoded == [str(number) for number in reversed(range(6 - kept))]


def test_what_was_used_of_late_stays(paths, decoded) -> None:
    memory = PixelMemory(2 * ONE)
    for number in (0, 1, 0, 2, 0, 1):
        memory.read(paths[number])
    assert decoded == ["0", "1", "2", "1"]


def test_a_naive_memory_reads_the_same_files(paths, decoded) -> None:
    memory, kept, expected = PixelMemory(3 * ONE), [], []
    for number in np.random.default_rng(0).integers(0, 6, 200).tolist():
        memory.read(paths[number])
        if number in kept:
            kept.remove(number)
        else:
            expected.append(str(number))
        kept = [*kept, number][-3:]
    assert decoded == expected
    assert 6 < len(expected) < 200


def test_an_image_larger_than_the_budget_is_kept_only_until_the_next(paths, decoded) -> None:
    memory = PixelMemory(ONE // 2)
    for number in (0, 0, 1, 0):
        memory.read(paths[number])
    assert decoded == ["0", "1", "0"]


def test_an_unreadable_file_is_named_at_every_reading_and_costs_nothing(paths, decoded, tmp_path) -> None:
    memory = PixelMemory(2 * ONE)
    (tmp_path / "bad.png").write_bytes(b"")
    for name, code in (("bad.png", "IMG_EMPTY"), ("gone.png", "IMG_MISSING"), ("bad.png", "IMG_EMPTY")):
        with pytest.raises(DataError, match=name) as caught:
            memory.read(tmp_path / name)
        assert caught.value.code == code
    decoded.clear()
    for number in (0, 1, 0, 1):
        memory.read(paths[number])
    assert decoded == ["0", "1"]


def test_a_memory_goes_to_another_process(paths) -> None:
    memory = pickle.loads(pickle.dumps(PixelMemory(ONE)))  # as a loading process that is spawned receives it
    assert np.array_equal(memory.read(paths[0]), read_image(paths[0]).pixels)
