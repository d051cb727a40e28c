"""Cut-outs of pictures around a detection or an object, as data that fits into a page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as PillowImage

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Sample

__all__ = ["Cutout", "cut_out"]

Box = tuple[float, float, float, float]

_SIDE = 240
_CONTEXT = 0.35
_LARGEST_SCALE = 3.0


@dataclass(frozen=True)
class Cutout:
    """A JPEG as a data URI, its width and height in pixels, and the boxes in its own pixels."""

    uri: str
    width: int
    height: int
    boxes: tuple[Box, ...]


def cut_out(sample: Sample, boxes: Sequence[Box]) -> Cutout | None:
    """The part of a sample's picture that holds the boxes, with some context, at most 240 pixels a side.

    None where the picture is absent, unreadable or not of its declared size, or shows none of the boxes.
    """
    try:
        pixels = read_image(sample.path).pixels
    except ImageError:
        return None
    height, width = pixels.shape[:2]
    if sample.truth is not None and sample.truth.size != (height, width):
        return None
    corners = np.clip(np.array(boxes), 0, (width, height, width, height))
    left, top = corners[:, :2].min(axis=0)
    right, bottom = corners[:, 2:].max(axis=0)
    margin = max(16.0, _CONTEXT * max(right - left, bottom - top))
    x1, y1 = max(0, int(left - margin)), max(0, int(top - margin))
    x2, y2 = min(width, int(right + margin) + 1), min(height, int(bottom + margin) + 1)
    if right <= left or bottom <= top:
        return None
    scale = min(_LARGEST_SCALE, _SIDE / max(x2 - x1, y2 - y1))
    size = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
    picture = PillowImage.fromarray(pixels[y1:y2, x1:x2]).resize(size, PillowImage.Resampling.LANCZOS)
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=80)
    to_cut = np.array([size[0] / (x2 - x1), size[1] / (y2 - y1)] * 2)
    inside = [tuple(np.round((box - (x1, y1, x1, y1)) * to_cut, 1).tolist()) for box in np.array(boxes)]
    uri = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
    return Cutout(uri, *size, tuple(inside))
