"""Crops for ranges: some of a detector's training windows, or random ones; the same for the same seed."""

import numpy as np
import pytest
from hostile import photo
from PIL import Image

from googlenet_rcnn.core.types import Boxes, GroundTruth, Sample, Size
from googlenet_rcnn.detector.range_crops import random_crops, range_crops
from googlenet_rcnn.detector.sampling import Windows
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows, window_crops

SIZE, WARP = Size(60, 80), Warp(32, 2)


def images(folder, count: int, windows: int) -> list[ImageWindows]:
    """Pictures of different brightness, each with windows one of which is mirrored."""
    found = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.fromarray(photo(*SIZE) // (number + 1)).save(path)
        left = np.arange(windows, dtype=np.float32)
        boxes = Boxes(np.stack([left, left, left + 20, left + 30], axis=1), SIZE)
        zeros = np.zeros(windows)
        truth = GroundTruth(Boxes.empty(SIZE), np.zeros(0, np.int64), np.zeros(0, np.bool_))
        sample = Sample(str(number), path, truth)
        mirrored = np.arange(windows) == 1
        found.append(
            ImageWindows(sample, Windows(boxes, zeros.astype(np.int64), zeros, boxes.coordinates, mirrored), "")
        )
    return found


def test_all_windows_where_there_are_few(tmp_path) -> None:
    some = images(tmp_path, 3, 5)
    got = list(range_crops(some, WARP, 0))
    for crops, (sample, windows, _) in zip(got, some, strict=True):
        pixels = photo(*SIZE) // (int(sample.image_id) + 1)
        assert np.array_equal(crops, window_crops(pixels, windows, WARP))


def test_eight_windows_of_thirty_two_images_at_most(tmp_path) -> None:
    got = list(range_crops(images(tmp_path, 40, 12), WARP, 0))
    assert [crops.shape for crops in got] == [(8, 32, 32, 3)] * 32
    again = list(range_crops(images(tmp_path, 40, 12), WARP, 0))
    other = list(range_crops(images(tmp_path, 40, 12), WARP, 1))
    assert all(map(np.array_equal, got, again))
    assert not all(map(np.array_equal, got, other))


def test_no_images_no_crops() -> None:
    assert list(range_crops([], WARP, 0)) == []


@pytest.mark.parametrize("shape", [(60, 80), (1, 1), (1, 90), (3, 500)])
def test_random_windows_of_any_image(shape) -> None:
    image = photo(*shape)
    crops = random_crops(image, WARP, np.random.default_rng(0))
    assert crops.shape == (8, 32, 32, 3)
    whole = Boxes(np.array([[0, 0, shape[1], shape[0]]], np.float32), Size(*shape))
    assert np.array_equal(crops[:1], WARP.crops(image, whole))
    assert np.array_equal(crops, random_crops(image, WARP, np.random.default_rng(0)))
