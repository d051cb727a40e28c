"""Colour spaces for the groupings: every channel is a float32 plane that spans 0..255 (Uijlings 2013, section 3.3).

A common span gives one scale of edge weights for all spaces and lets every histogram bin be reached.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image

__all__ = ["COLOURS", "convert"]

Planes = NDArray[np.float32]

# The sRGB cube seen in CIE Lab (D65) spans these values; an 8-bit Lab image would leave its ends unused.
_LAB_LOW = (0.0, -86.19, -107.87)
_LAB_HIGH = (100.0, 98.26, 94.49)


def _unit(image: Image) -> Planes:
    return np.asarray(image.astype(np.float32) * np.float32(1 / 255))


def _planes(image: Planes, low: Sequence[float], high: Sequence[float]) -> Planes:
    """The channels of [H,W,C] as planes [C,H,W], those from `low` to `high` stretched to 0..255."""
    planes = np.empty((image.shape[2], *image.shape[:2]), np.float32)
    for plane, channel, least, most in zip(planes, cv2.split(image), low, high, strict=True):
        factor = 255 / (most - least)
        np.multiply(channel, np.float32(factor), out=plane)
        if least:
            plane -= np.float32(least * factor)
    return planes


def _hsv(image: Image) -> Planes:
    # Floating point, because OpenCV's 8-bit hue stops at 179.
    return _planes(np.asarray(cv2.cvtColor(_unit(image), cv2.COLOR_RGB2HSV)), (0, 0, 0), (360, 1, 1))


def _lab(image: Image) -> Planes:
    return _planes(np.asarray(cv2.cvtColor(_unit(image), cv2.COLOR_RGB2Lab)), _LAB_LOW, _LAB_HIGH)


def _intensity(image: Image) -> Planes:
    return np.asarray(image.sum(axis=2, dtype=np.float32) / np.float32(3))[None]


def _rgi(image: Image) -> Planes:
    intensity = _intensity(image)
    # Black has no chromaticity; a third of each is its neighbour on the grey axis.
    planes = np.full((3, *image.shape[:2]), 85, dtype=np.float32)
    colour = np.moveaxis(image[..., :2], 2, 0) * np.float32(85)
    np.divide(colour, intensity, out=planes[:2], where=intensity > 0)
    planes[2] = intensity[0]
    return planes


def _hue(image: Image) -> Planes:
    return _hsv(image)[:1]


_SPACES: Mapping[str, Callable[[Image], Planes]] = {
    "hsv": _hsv,
    "lab": _lab,
    "rgi": _rgi,
    "h": _hue,
    "i": _intensity,
}

COLOURS: tuple[str, ...] = tuple(_SPACES)
"""Names of the colour spaces: hsv, lab, rgi (normalised r and g, intensity), h and i (one channel)."""


def convert(image: Image, colour: str) -> Planes:
    """The image [H,W,3] in a colour space of COLOURS, float32 planes [C,H,W] in 0..255 with C = 3 or 1."""
    if colour not in _SPACES:
        raise UsageError("PROPOSAL_SETTING", f"unknown colour space {colour!r}, known: {', '.join(COLOURS)}")
    planes = _SPACES[colour](image)
    return np.clip(planes, np.float32(0), np.float32(255), out=planes)
