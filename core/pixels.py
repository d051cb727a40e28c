"""Pixels of any mode to RGB [H,W,3] as displayed, without the losses of a plain conversion."""

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image as PillowImage

from googlenet_rcnn.core.types import Image

__all__ = ["to_rgb", "turn"]


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
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return np.repeat(_scaled(np.asarray(image), mode)[:, :, None], 3, axis=2)
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    layers = np.asarray(image.convert("RGBA"))
    alpha = layers[:, :, 3:].astype(np.uint32)
    if alpha.min() == 255:
        return layers[:, :, :3]
    return ((layers[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _scaled(values: NDArray[np.generic], mode: str) -> NDArray[np.uint8]:
    """Gray levels [H,W] in 0..255: 16-bit ones divided by 257, all others stretched from least to most."""
    levels = values.astype(np.float64)
    finite = levels[np.isfinite(levels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if mode != "F" and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    if high <= low:  # one level throughout has no range to stretch; mid-gray rather than black
        return np.full(levels.shape, 128, dtype=np.uint8)
    stretched = (np.nan_to_num(levels, nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.floor(stretched * 255 + 0.5).astype(np.uint8)
