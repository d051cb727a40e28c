"""Crops for a classifier: where they lie, how large they are, how they are changed, and that chance is the seed's."""

import cv2
import numpy as np
import pytest
from hostile import photo
from pydantic import ValidationError

from googlenet_rcnn.backbone.crop_sampling import CropSampling, sample_crop, sample_window

PLAIN = CropSampling(photometric=0.0, lighting=0.0, mirror=0.0)


def windows(width, height, sampling=PLAIN, count=4000, seed=0):
    random = np.random.default_rng(seed)
    return np.array([sample_window(width, height, sampling, random) for _ in range(count)])


def test_areas_are_even_from_8_percent_to_all_and_aspects_even_about_1() -> None:
    """Section 6; a square image, where hardly a window is turned away for not fitting, except among the largest."""
    found = windows(1000, 1000, CropSampling(area=(0.08, 0.7)))
    area = found[:, 2] * found[:, 3] / 1e6
    assert 0.079 < area.min() < 0.09
    assert 0.69 < area.max() < 0.701
    shares = np.histogram(area, bins=8, range=(0.08, 0.7))[0] / len(area)
    np.testing.assert_allclose(shares, 1 / 8, atol=0.03)
    aspect = np.log(found[:, 2] / found[:, 3])
    assert abs(aspect).max() < np.log(4 / 3) + 0.01
    shares = np.histogram(aspect, bins=6, range=(-np.log(4 / 3), np.log(4 / 3)))[0] / len(aspect)
    np.testing.assert_allclose(shares, 1 / 6, atol=0.03)


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (40, 30), (1, 1), (1, 300), (300, 1), (2, 1000)])
def test_windows_lie_in_the_image(size) -> None:
    width, height = size
    x, y, across, down = windows(width, height, count=300).T
    assert min(x.min(), y.min()) >= 0
    assert min(across.min(), down.min()) >= 1
    assert (x + across).max() <= width
    assert (y + down).max() <= height


def test_they_lie_anywhere() -> None:
    found = windows(500, 375)
    x, y, across, down = found[(found[:, 2] < 400) & (found[:, 3] < 300)].T
    for place, room in ((x, 500 - across), (y, 375 - down)):
        shares = np.histogram(place / room, bins=4, range=(0, 1))[0] / len(x)
        np.testing.assert_allclose(shares, 1 / 4, atol=0.03)


def test_where_no_window_fits_it_is_the_largest_in_the_middle() -> None:
    found = windows(900, 90, CropSampling(area=(0.9, 1.0)), count=20)
    assert np.unique(found, axis=0).tolist() == [[390, 0, 120, 90]]
    found = windows(90, 900, CropSampling(area=(0.9, 1.0)), count=20)
    assert np.unique(found, axis=0).tolist() == [[0, 390, 90, 120]]


def test_in_a_squashed_picture_aspects_are_relative_to_its_own() -> None:
    """What is drawn from 800x200 is what is drawn from a square, stretched."""
    half = PLAIN.model_copy(update={"area": (0.08, 0.5)})  # each window fits, so that none is drawn again
    squash = half.model_copy(update={"squash": True})
    for seed in range(50):
        wide, square = windows(800, 200, squash, 1, seed), windows(400, 400, half, 1, seed)
        np.testing.assert_allclose(wide[:, 2:] * [0.5, 2], square[:, 2:], atol=2)
    whole = CropSampling(area=(1.0, 1.0), aspect=(1.0, 1.0), squash=True)
    assert np.unique(windows(900, 90, whole, count=5), axis=0).tolist() == [[0, 0, 900, 90]]


@pytest.mark.parametrize("method", ["linear", "area", "nearest", "cubic"])
def test_without_distortions_a_crop_is_its_window_resized(method) -> None:
    image, sampling = photo(90, 120), PLAIN.model_copy(update={"interpolation": method})
    crop = sample_crop(image, 64, sampling, np.random.default_rng(3))
    x, y, across, down = sample_window(120, 90, sampling, np.random.default_rng(3))
    wanted = cv2.resize(
        image[y : y + down, x : x + across], (64, 64), interpolation=getattr(cv2, f"INTER_{method.upper()}")
    )
    assert np.array_equal(crop, wanted)


def test_each_of_four_interpolations_has_its_turn(monkeypatch) -> None:
    asked = []
    resize = cv2.resize
    monkeypatch.setattr(cv2, "resize", lambda *a, interpolation: asked.append(interpolation) or resize(*a))
    random = np.random.default_rng(0)
    for _ in range(800):
        sample_crop(photo(20, 20), 8, PLAIN, random)
    counts = np.array(
        [asked.count(one) for one in (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_NEAREST, cv2.INTER_CUBIC)]
    )
    np.testing.assert_allclose(counts / 800, 1 / 4, atol=0.06)


def test_a_mirror_is_the_other_way_round() -> None:
    image = photo(60, 60)
    whole = PLAIN.model_copy(update={"area": (1.0, 1.0), "aspect": (1.0, 1.0), "interpolation": "nearest"})
    straight = sample_crop(image, 60, whole, np.random.default_rng(0))
    turned = sample_crop(image, 60, whole.model_copy(update={"mirror": 1.0}), np.random.default_rng(0))
    assert np.array_equal(straight, image)
    assert np.array_equal(turned, image[:, ::-1])
    assert turned.flags["C_CONTIGUOUS"]


def test_brightness_contrast_and_colour_vary_by_as_much_as_asked() -> None:
    image = np.full((30, 30, 3), 100, np.uint8)
    flat = CropSampling(lighting=0.0, photometric=0.5)
    random = np.random.default_rng(0)
    levels = [float(sample_crop(image, 8, flat, random).mean()) for _ in range(200)]
    assert 49 <= min(levels) < 60
    assert 140 < max(levels) <= 151
    coloured = np.broadcast_to(np.array([200, 100, 50], np.uint8), (30, 30, 3))
    crops = [sample_crop(np.ascontiguousarray(coloured), 8, flat, random)[0, 0].astype(int) for _ in range(200)]
    spread = [int(one.max() - one.min()) for one in crops]
    assert min(spread) < 75 < 200 < max(spread)


def test_lighting_shifts_a_crop_along_the_colours_directions() -> None:
    image = np.full((30, 30, 3), 128, np.uint8)
    lit = CropSampling(photometric=0.0, lighting=0.1)
    random = np.random.default_rng(0)
    shifts = np.array([sample_crop(image, 8, lit, random)[0, 0].astype(float) - 128 for _ in range(2000)])
    # Krizhevsky's first direction is nearly grey: 0.1 x 0.2175 x 255 x 0.57 of each colour.
    np.testing.assert_allclose(shifts.std(axis=0), 3.2, atol=0.4)
    assert np.corrcoef(shifts.T).min() > 0.9
    assert (sample_crop(np.full((9, 9, 3), 255, np.uint8), 8, lit, random) > 200).all()  # nothing wraps round


def test_the_same_generator_gives_the_same_crop_whatever_torch_drew_before() -> None:
    import torch

    image, sampling = photo(80, 80), CropSampling()
    torch.manual_seed(1)
    first = sample_crop(image, 32, sampling, np.random.default_rng(5))
    torch.rand(7)
    second = sample_crop(image, 32, sampling, np.random.default_rng(5))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, sample_crop(image, 32, sampling, np.random.default_rng(6)))


@pytest.mark.parametrize(
    "change",
    [{"area": (0.0, 1.0)}, {"area": (0.5, 0.4)}, {"area": (0.5, 1.1)}, {"aspect": (0.0, 1.0)}, {"aspect": (2.0, 1.0)},
     {"mirror": 1.5}, {"photometric": 1.0}, {"lighting": -0.1}, {"interpolation": "lanczos"}],
)  # fmt: skip
def test_impossible_settings_are_refused(change) -> None:
    with pytest.raises(ValidationError):
        CropSampling(**change)
