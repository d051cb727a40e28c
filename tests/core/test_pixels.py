"""Pixels of every mode against formulas worked out apart, and whatever the size of the pieces."""

import hostile
import numpy as np
import pytest

from googlenet_rcnn.core import pixels as module
from googlenet_rcnn.core.images import decode_image
from googlenet_rcnn.core.pixels import turn


def printed(inks: np.ndarray) -> np.ndarray:
    """What four inks on white paper look like, each letting through its share of the light."""
    light = 1 - inks.astype(np.float64) / 255
    return (light[:, :, :3] * light[:, :, 3:] * 255).round().astype(np.uint8)


# FAULTS 11: the mean is held tightly, since JPEG itself moves single pixels.
@pytest.mark.parametrize("make", [hostile.cmyk_jpeg, hostile.ycck_jpeg])
def test_four_inks_look_as_on_paper(make):
    apart = np.abs(decode_image(make()).pixels.astype(int) - printed(hostile.four_inks()))
    assert apart.max() <= 6
    assert apart.mean() <= 1.5


# FAULTS 12: not cut off at 255, which a plain conversion does to 99.6 % of these levels.
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4"])
def test_deep_gray_keeps_its_levels(dtype):
    gray = decode_image(hostile.deep_gray(hostile.ramp().astype(dtype))).pixels
    assert np.abs(gray[:, :, 0] - hostile.ramp() / 257).max() <= 0.5
    assert (gray == gray[:, :, :1]).all()


# FAULTS 13
def test_float_levels_are_stretched_and_what_is_no_number_is_dark():
    levels = np.linspace(-2, 3, 100, dtype=np.float32).reshape(10, 10)
    levels[0] = np.nan
    levels[0, :3] = np.nan, np.inf, -np.inf
    gray = decode_image(hostile.deep_gray(levels)).pixels[:, :, 0]
    assert gray[0, :3].tolist() == [0, 255, 0]
    low, high = float(levels[1:].min()), 3.0
    assert np.abs(gray[1:] - (levels[1:].astype(float) - low) / (high - low) * 255).max() <= 0.5
    assert (decode_image(hostile.deep_gray(np.full((4, 4), np.nan, np.float32))).pixels == 128).all()


@pytest.mark.parametrize("band", [1, 1000])
def test_the_size_of_the_pieces_does_not_matter(monkeypatch, band):
    whole = {name: decode_image(make()).pixels for name, (make, _) in hostile.ODD.items()}
    monkeypatch.setattr(module, "_BAND", band)
    for name, (make, _) in hostile.ODD.items():
        assert np.array_equal(decode_image(make()).pixels, whole[name]), name


def test_turns_are_eight_different_ones_and_the_others_none():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = [turn(image, orientation) for orientation in range(1, 9)]
    assert len({(one.shape, one.tobytes()) for one in turned}) == 8
    assert all(np.array_equal(turn(image, orientation), image) for orientation in (-1, 0, 1, 9, 99))
    assert np.array_equal(turn(turn(image, 6), 8), image)
