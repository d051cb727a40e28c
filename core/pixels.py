"""Pixels of any mode to RGB [H,W,3] as displayed, without the losses of a plain conversion."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from googlenet_rcnn.core.types import Image

__all__ = ["to_rgb", "turn"]

_BAND = 1 << 20
"""Pixels converted at a time: what a conversion needs beside the image and its result stays small."""


def turn(pixels: Image, orientation: int) -> Image:
    """Pixels [H,W,3] as displayed; orientations other than 2..8 change nothing."""
    if 5 <= orientation <= 8:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def to_rgb(image: PillowImage) -> Image:
    """Pixels [H,W,3] of a loaded image; transparency lies on white, deep gray is scaled, not cut off.

    ValueError names a mode that is not read.
    """
    deep = image.mode.startswith("I") or image.mode == "F"
    low, high = _levels(image) if deep else (0.0, 0.0)
    pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
    for top, band in _bands(image):
        pixels[top : top + band.height] = _scaled(band, low, high)[:, :, None] if deep else _colours(band)
    return pixels


def _bands(image: PillowImage) -> Iterator[tuple[int, PillowImage]]:
    """Pieces of the image as wide as it is, each with its first row."""
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _colours(band: PillowImage) -> NDArray[np.uint8]:
    if not band.has_transparency_data:
        return np.asarray(band.convert("RGB"))
    layers = np.asarray(band.convert("RGBA"))
    alpha = layers[:, :, 3:].astype(np.uint32)
    if alpha.min() == 255:
        return layers[:, :, :3]
    return ((layers[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _levels(image: PillowImage) -> tuple[float, float]:
    """The levels that become 0 and 255: those of 16 bits where all fit into them, else the least and the most."""
    low, high = np.inf, -np.inf
    for _, band in _bands(image):
        levels = np.asarray(band)
        finite = levels[np.isfinite(levels)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (0.0, 65_535.0) if image.mode != "F" and low >= 0 and high <= 65_535 else (low, high)


def _scaled(band: PillowImage, low: float, high: float) -> NDArray[np.uint8]:
    """Gray levels [H,W] in 0..255, stretched so that `low` is 0 and `high` 255."""
    levels = np.asarray(band).astype(np.float64)
    if high <= low:  # one level throughout has no range to stretch; mid-gray rather than black
        return np.full(levels.shape, 128, dtype=np.uint8)
    stretched = (np.nan_to_num(levels, nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.floor(stretched * 255 + 0.5).astype(np.uint8)
