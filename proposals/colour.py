"""Colour spaces for the groupings: every channel is float32 and spans 0..255 (Uijlings 2013, section 3.3).

A common span gives one scale of edge weights for all spaces and lets every histogram bin be reached.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image

__all__ = ["COLOURS", "convert"]

Channels = NDArray[np.float32]

# The sRGB cube seen in CIE Lab (D65) spans these values; an 8-bit Lab image would leave its ends unused.
_LAB_LOW = np.array([0.0, -86.19, -107.87], dtype=np.float32)
_LAB_HIGH = np.array([100.0, 98.26, 94.49], dtype=np.float32)


def _unit(image: Image) -> Channels:
    return np.asarray(image.astype(np.float32) / np.float32(255))


def _hsv(image: Image) -> Channels:
    # Floating point, because OpenCV's 8-bit hue stops at 179.
    hsv = np.asarray(cv2.cvtColor(_unit(image), cv2.COLOR_RGB2HSV), dtype=np.float32)
    return np.asarray(hsv * np.array([255 / 360, 255, 255], dtype=np.float32))


def _lab(image: Image) -> Channels:
    lab = np.asarray(cv2.cvtColor(_unit(image), cv2.COLOR_RGB2Lab), dtype=np.float32)
    return np.asarray((lab - _LAB_LOW) * (np.float32(255) / (_LAB_HIGH - _LAB_LOW)))


def _intensity(image: Image) -> Channels:
    return np.asarray(image.sum(axis=2, keepdims=True, dtype=np.float32) / np.float32(3))


def _rgi(image: Image) -> Channels:
    intensity = _intensity(image)
    # Black has no chromaticity; a third of each is its neighbour on the grey axis.
    share = np.full((*image.shape[:2], 2), 85, dtype=np.float32)
    np.divide(image[..., :2] * np.float32(85), intensity, out=share, where=intensity > 0)
    return np.concatenate([share, intensity], axis=2)


def _hue(image: Image) -> Channels:
    return _hsv(image)[..., :1]


_SPACES: Mapping[str, Callable[[Image], Channels]] = {
    "hsv": _hsv,
    "lab": _lab,
    "rgi": _rgi,
    "h": _hue,
    "i": _intensity,
}

COLOURS: tuple[str, ...] = tuple(_SPACES)
"""Names of the colour spaces: hsv, lab, rgi (normalised r and g, intensity), h and i (one channel)."""


def convert(image: Image, colour: str) -> Channels:
    """The image [H,W,3] in a colour space of COLOURS, float32 [H,W,C] in 0..255 with C = 3 or 1."""
    if colour not in _SPACES:
        raise UsageError("PROPOSAL_SETTING", f"unknown colour space {colour!r}, known: {', '.join(COLOURS)}")
    channels = np.clip(_SPACES[colour](image), np.float32(0), np.float32(255))
    return np.ascontiguousarray(channels, dtype=np.float32)
