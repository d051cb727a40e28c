"""Region features: laws of the histograms, boxes and neighbours."""

import colorsys

import numpy as np
import pytest
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.colour import convert
from googlenet_rcnn.proposals.regions import TEXTURE_BINS, Regions, colour_bins, describe, texture_codes


@pytest.fixture
def image() -> Image:
    return np.random.default_rng(0).integers(0, 256, (24, 31, 3), dtype=np.uint8)


@pytest.fixture
def labels() -> NDArray[np.int32]:
    grid = np.arange(24)[:, None] // 8 * 4 + np.arange(31)[None] // 8
    return grid.astype(np.int32)


def described(image: Image, labels: NDArray[np.int32], colour: str = "hsv") -> Regions:
    return describe(labels, colour_bins(convert(image, colour)), texture_codes(image))


@pytest.mark.parametrize(("colour", "length"), [("hsv", 75), ("i", 25)])
def test_every_histogram_counts_each_pixel_once(
    image: Image, labels: NDArray[np.int32], colour: str, length: int
) -> None:
    regions = described(image, labels, colour)
    assert regions.colour.shape == (12, length)
    assert regions.texture.shape == (12, 240)
    assert (regions.colour.reshape(12, -1, 25).sum(axis=2) == regions.sizes[:, None]).all()
    assert (regions.texture.reshape(12, 24, 10).sum(axis=2) == regions.sizes[:, None]).all()


def test_histogram_counts_the_pixels_of_its_region(image: Image, labels: NDArray[np.int32]) -> None:
    regions = described(image, labels)
    bins = colour_bins(convert(image, "hsv"))
    for region in (0, 7, 11):
        chosen = bins[:, labels == region]
        expected = np.concatenate([np.bincount(channel, minlength=25) for channel in chosen])
        assert regions.colour[region].tolist() == expected.tolist()


def test_sizes_and_boxes(image: Image, labels: NDArray[np.int32]) -> None:
    regions = described(image, labels)
    assert regions.sizes.sum() == image.shape[0] * image.shape[1]
    assert regions.boxes[0].tolist() == [0, 0, 8, 8]
    assert regions.boxes[11].tolist() == [24, 16, 31, 24]


def test_neighbours_touch_by_side_or_corner(image: Image, labels: NDArray[np.int32]) -> None:
    pairs = {tuple(pair) for pair in described(image, labels).pairs.tolist()}
    places = [(r // 4, r % 4) for r in range(12)]
    expected = {
        (a, b)
        for a in range(12)
        for b in range(a + 1, 12)
        if max(abs(places[a][0] - places[b][0]), abs(places[a][1] - places[b][1])) == 1
    }
    assert pairs == expected


def test_the_sum_equals_the_histogram_of_the_union(image: Image, labels: NDArray[np.int32]) -> None:
    apart = described(image, labels)
    joined = labels.copy()
    joined[labels == 3] = 2
    joined[labels > 3] -= 1
    together = described(image, joined)
    size = apart.sizes[2] + apart.sizes[3]
    assert together.sizes[2] == size
    for name in ("colour", "texture"):
        before, after = getattr(apart, name), getattr(together, name)
        assert after[2].tolist() == (before[2] + before[3]).tolist()


def direction_bins(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bins [24,H,W] of all directions of three channels from codes [12,H,W] of their axes."""
    ahead = np.where(codes < TEXTURE_BINS, codes, 0).reshape(3, 4, *codes.shape[1:])
    behind = np.where(codes < TEXTURE_BINS, 0, codes - 9.0).reshape(ahead.shape)
    return np.concatenate([ahead, behind], axis=1).astype(np.int64).reshape(24, *codes.shape[1:])


def test_texture_equals_the_bins_of_a_slow_derivative(image: Image, labels: NDArray[np.int32]) -> None:
    high, low = image.max(axis=2).astype(float), image.min(axis=2).astype(float)
    offsets = np.arange(-4, 5)
    smooth = np.exp(-(offsets**2) / 2)
    smooth /= smooth.sum()
    found = direction_bins(texture_codes(image))
    histogram = described(image, labels).texture.reshape(12, 24, 10)
    for c, channel in enumerate((high, low, high - low)):
        padded = np.pad(channel, 4, mode="edge")
        for o in range(8):
            across = np.cos(o * np.pi / 4) * np.outer(smooth, offsets * smooth)
            kernel = across + np.sin(o * np.pi / 4) * np.outer(offsets * smooth, smooth)
            limit = 255 * np.maximum(kernel, 0).sum()
            windows = np.lib.stride_tricks.sliding_window_view(padded, (9, 9))
            share = np.maximum((windows * kernel).sum(axis=(2, 3)), 0) / limit
            exact = 10 * np.sqrt(share)
            bins = np.minimum(exact, 9).astype(int)
            sure = (share == 0) | (np.abs(exact - np.round(exact)) > 1e-3)  # rounding may decide on the border of a bin
            assert sure.mean() > 0.95
            assert (found[c * 8 + o] == bins)[sure].all()
            counts = np.bincount(found[c * 8 + o][labels == 5], minlength=10)
            assert histogram[5, c * 8 + o].tolist() == counts.tolist()


def test_every_texture_bin_of_every_direction_is_reached() -> None:
    reached = [set[int]() for _ in range(24)]
    angles = np.arange(0, 2 * np.pi, np.pi / 4)
    y, x = np.mgrid[-8:9, -8:9]
    colour = np.array([1.0, 1.0, 1.0])
    for height in np.linspace(4, 255, 120):
        for angle in angles:
            # An edge that runs through the middle of the kernel, black to grey and black to pure red.
            for tint in (colour, np.array([1.0, 0, 0])):
                side = np.cos(angle) * x + np.sin(angle) * y
                edge = np.where(side > 1e-9, height, 0)[..., None] * tint
                bins = direction_bins(texture_codes(edge.astype(np.uint8)))
                for d in range(24):
                    reached[d] |= set(bins[d].ravel().tolist())
    assert all(found == set(range(TEXTURE_BINS)) for found in reached)


def test_slope_and_opposite_slope_differ() -> None:
    ramp = np.repeat(np.arange(0, 250, 10, dtype=np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    rising, falling = (direction_bins(texture_codes(image))[:, 10, 12] for image in (ramp, ramp[:, ::-1].copy()))
    assert rising[0] > falling[0] == 0
    assert falling[4] > rising[4] == 0


def test_hue_rotation_by_a_third_changes_colour_and_not_texture(image: Image, labels: NDArray[np.int32]) -> None:
    turned = np.ascontiguousarray(image[..., [2, 0, 1]])
    before, after = described(image, labels), described(turned, labels)
    assert np.array_equal(before.texture, after.texture)
    assert np.abs(before.colour[:, :25] - after.colour[:, :25]).max() > 0.06 * 64
    # Saturation and value are the rest of the histogram.
    assert np.abs(before.colour[:, 25:] - after.colour[:, 25:]).max() <= 1


def test_any_hue_rotation_keeps_texture_up_to_rounding() -> None:
    rng = np.random.default_rng(3)
    hsv = np.stack([rng.uniform(0, 0.3, (16, 16)), rng.uniform(0.2, 1, (16, 16)), rng.uniform(0, 1, (16, 16))])

    def rendered(shift: float) -> Image:
        pixels = [colorsys.hsv_to_rgb((h + shift) % 1, s, v) for h, s, v in hsv.reshape(3, -1).T]
        return np.round(np.array(pixels) * 255).astype(np.uint8).reshape(16, 16, 3)

    labels = np.zeros((16, 16), np.int32)
    before, after = described(rendered(0), labels), described(rendered(0.21), labels)
    assert np.abs(before.texture - after.texture).sum() < 0.01 * 24 * 256
    assert np.abs(before.colour - after.colour).sum() > 0.1 * 3 * 256
