"""Pictures of any size, made of one photograph, and pictures at the edge of what there is."""

import importlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.working import MAX_HEIGHT


def resized(megapixels: float) -> Image:
    """A photograph stretched to 4:3 and so many pixels, as a larger camera would have taken it."""
    height = max(1, round((megapixels * 1e6 * 3 / 4) ** 0.5))
    width = max(1, round(megapixels * 1e6 / height))
    return np.asarray(cv2.resize(_photograph(), (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def tiled(megapixels: float) -> Image:
    """So many pixels of a mirrored mosaic, in which every part has as much to see as any other.

    It is 4:3 until it is as tall as a working image may be, then it grows in width only.
    """
    height = min(MAX_HEIGHT, max(1, round((megapixels * 1e6 * 3 / 4) ** 0.5)))
    width = max(1, round(megapixels * 1e6 / height))
    photograph = _photograph()
    growth = [(0, max(0, side - own)) for side, own in zip((height, width), photograph.shape[:2], strict=True)]
    return np.pad(photograph, [*growth, (0, 0)], mode="symmetric")[:height, :width]


def edges() -> Iterator[tuple[str, Image]]:
    """Degenerate pictures by name."""
    random = np.random.default_rng(0)
    photograph = _photograph()
    for name, height, width in (("1 x 1", 1, 1), ("1 x 2000", 1, 2000), ("2000 x 1", 2000, 1)):
        yield name, random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for name, size in (("8:1", (2000, 250)), ("1:8", (250, 2000))):
        yield name, np.asarray(cv2.resize(photograph, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    yield "one colour", np.full((375, 500, 3), 90, dtype=np.uint8)
    yield "noise", random.integers(0, 256, (375, 500, 3), dtype=np.uint8)
    yield "12 megapixels", resized(12)


def _photograph() -> Image:
    data: Any = importlib.import_module("skimage.data")
    return np.asarray(data.astronaut(), dtype=np.uint8)
