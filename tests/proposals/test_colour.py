"""Colour spaces: span, reach of the bins, known values."""

import numpy as np
import pytest

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.colour import COLOURS, convert
from googlenet_rcnn.proposals.regions import COLOUR_BINS, colour_bins


def cube() -> Image:
    """A coarse grid over all RGB colours [H,W,3], with the ends 0 and 255."""
    steps = np.linspace(0, 255, 52).astype(np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(52, -1, 3)


@pytest.mark.parametrize("colour", COLOURS)
def test_channels_are_planes_that_span_0_to_255(colour: str) -> None:
    channels = convert(cube(), colour)
    assert channels.dtype == np.float32
    assert channels.shape == (1 if colour in ("h", "i") else 3, 52, 52 * 52)
    assert np.abs(channels.min(axis=(1, 2))).max() < 1
    assert channels.max(axis=(1, 2)).min() > 250


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_bin_is_reached(colour: str) -> None:
    bins = colour_bins(convert(cube(), colour))
    for channel in bins:
        assert set(np.unique(channel)) == set(range(COLOUR_BINS))


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("value", [0, 7, 255])
def test_grey_has_one_chromaticity(colour: str, value: int) -> None:
    channels = convert(np.full((2, 3, 3), value, np.uint8), colour)[:, 0, 0]
    expected = {
        "hsv": [0, 0, value],
        "rgi": [85, 85, value],
        "h": [0],
        "i": [value],
    }
    if colour in expected:
        assert channels == pytest.approx(expected[colour], abs=1e-3)
    else:
        black = convert(np.zeros((1, 1, 3), np.uint8), colour)[:, 0, 0]
        assert channels[1:] == pytest.approx(black[1:], abs=0.1)


def test_hue_of_the_primaries_is_a_third_of_the_span_apart() -> None:
    primaries = (np.eye(3) * 255).astype(np.uint8)[None]
    assert convert(primaries, "h")[0, 0] == pytest.approx([0, 85, 170], abs=1e-3)


def test_unknown_space_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cmyk"):
        convert(cube(), "cmyk")
