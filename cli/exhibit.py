"""What a page shows of an image: its picture, its detections and its best proposals."""

import base64
import io
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from googlenet_rcnn.core.types import Detections, Image, Proposals

from .draw.class_colours import class_colour, hex_colour, ink_on

if TYPE_CHECKING:
    from googlenet_rcnn.detector.pipeline import Detector

__all__ = [
    "LEAST_SCORE",
    "PROPOSALS_SHOWN",
    "detections_shown",
    "exhibit",
    "page_colours",
    "picture_uri",
    "proposals_shown",
    "revealing",
]

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


def revealing(detector: "Detector", threshold: float) -> "Detector":
    """A detector of everything that a page can show beside what has the threshold.

    A lower threshold adds detections and changes none: NMS and the limit go from the best score down, and boxes that
    vote have thresholds of their own.
    """
    return replace(detector, selection=replace(detector.selection, score_threshold=min(threshold, LEAST_SCORE)))


def exhibit(found: Detections, proposals: Proposals) -> dict[str, Any]:
    """What a page's script takes of an image: its size, and in its pixels the best detections and proposals first."""
    size = {"width": found.size.width, "height": found.size.height}
    return size | {"detections": detections_shown(found), "proposals": proposals_shown(proposals)}


def detections_shown(found: Detections) -> list[dict[str, Any]]:
    """Detections with as many digits as a page shows."""
    boxes = found.boxes.coordinates.astype(np.float64).round(1).tolist()
    return [
        {"label": name, "score": round(float(score), 4), "box": box}
        for name, score, box in zip(found.names, found.scores, boxes, strict=True)
    ]


def proposals_shown(proposals: Proposals) -> list[list[int]]:
    """The best proposals, in whole pixels of the image."""
    shown: list[list[int]] = proposals.boxes.coordinates[:PROPOSALS_SHOWN].round().astype(int).tolist()
    return shown


def page_colours(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour of each class and of what is written on it, as pages write them."""
    return {name: (hex_colour(class_colour(name)), hex_colour(ink_on(class_colour(name)))) for name in names}
