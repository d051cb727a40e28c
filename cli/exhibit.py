"""What a page shows of an image: its picture, its detections and its best proposals."""

import base64
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from googlenet_rcnn.core.types import Detections, Image, LabelSet, Proposals

from .class_colours import class_colour, hex_colour, ink_on

__all__ = ["LEAST_SCORE", "PROPOSALS_SHOWN", "exhibit", "page_colours", "picture_uri", "proposals_shown"]

LEAST_SCORE = 0.05
"""Least score of what a page can show, unless even less was asked for."""
PROPOSALS_SHOWN = 300

_SIDE, _QUALITY = 960, 80


def picture_uri(image: Image) -> str:
    """An image [H,W,3] as a JPEG data URI, its longer side at most 960 pixels."""
    height, width = image.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    stream = io.BytesIO()
    PillowImage.fromarray(image).resize(size, PillowImage.Resampling.LANCZOS).save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def exhibit(found: Detections, labels: LabelSet, proposals: Proposals) -> dict[str, Any]:
    """Boxes as a page's script takes them: in pixels of the image, the best detections and proposals first."""
    boxes = found.boxes.coordinates.astype(np.float64).round(1).tolist()
    detections = [
        {"label": labels.names[label], "score": round(float(score), 4), "box": box}
        for label, score, box in zip(found.labels, found.scores, boxes, strict=True)
    ]
    size = {"width": found.size.width, "height": found.size.height}
    return size | {"detections": detections, "proposals": proposals_shown(proposals)}


def proposals_shown(proposals: Proposals) -> list[list[int]]:
    """The best proposals, in whole pixels of the image."""
    shown: list[list[int]] = proposals.boxes.coordinates[:PROPOSALS_SHOWN].round().astype(int).tolist()
    return shown


def page_colours(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour of each class and of what is written on it, as pages write them."""
    return {name: (hex_colour(class_colour(name)), hex_colour(ink_on(class_colour(name)))) for name in names}
