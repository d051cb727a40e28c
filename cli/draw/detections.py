"""Pictures with boxes: legible at any size of the image and on any background, one colour for a class."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from googlenet_rcnn.core.types import Image

from ..boundary import one_line
from .class_colours import class_colour, ink_on
from .label_places import place_labels

__all__ = ["draw_detections", "drawing_factor"]

_SMALLEST = 480  # pixels of the longer side: below that there is no room for letters


def drawing_factor(height: int, width: int) -> int:
    """How many times larger than the image its picture is: 1 unless the image is too small for labels."""
    return -(-_SMALLEST // max(height, width))


def draw_detections(image: Image, detections: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """A copy of an image [H,W,3], some whole number of times as large if it is small, with a row's detections.

    Lines and letters grow with the picture. The best detection lies on top; its label is the first to choose a place.
    """
    factor = drawing_factor(*image.shape[:2])
    if factor > 1:
        image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC))
    height, width = image.shape[:2]
    picture = PillowImage.fromarray(image)
    pen = ImageDraw.Draw(picture)
    line = max(2, round(max(height, width) / 320))
    font = ImageFont.load_default(size=max(13, round(max(height, width) / 52)))
    boxes = [_corners(found["box"], factor) for found in detections]
    for found, (x1, y1, x2, y2) in reversed(list(zip(detections, boxes, strict=True))):
        edge = max(1, line // 2)
        colour = class_colour(found["label"])
        # Between two lines that differ from it as much as can be, a colour is seen on any ground.
        outer = (x1 - edge, y1 - edge, x2 + edge - 1, y2 + edge - 1)
        pen.rectangle(outer, outline=ink_on(colour), width=line + 2 * edge)
        pen.rectangle((x1, y1, x2 - 1, y2 - 1), outline=colour, width=line)
    texts = [f"{one_line(found['label'])} {found['score']:.2f}" for found in detections]
    sizes = [_label_size(font, text) for text in texts]
    places = place_labels(boxes, sizes, width, height)
    for found, text, (left, top, right, bottom) in reversed(list(zip(detections, texts, places, strict=True))):
        colour = class_colour(found["label"])
        pen.rectangle((left, top, right - 1, bottom - 1), fill=colour, outline=ink_on(colour))
        pen.text(((left + right) / 2, (top + bottom) / 2), text, fill=ink_on(colour), font=font, anchor="mm")
    return np.asarray(picture)


def _corners(box: list[float], factor: int) -> tuple[int, int, int, int]:
    """The box in whole pixels of the picture, at least one wide and high."""
    x1, y1, x2, y2 = (round(value * factor) for value in box)
    return x1, y1, max(x1 + 1, x2), max(y1 + 1, y2)


def _label_size(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> tuple[int, int]:
    """Width and height of a label with some air around its text; all of one font are equally high."""
    _, top, _, bottom = font.getbbox("Ag")
    left, _, right, _ = font.getbbox(text)
    air = max(2, round((bottom - top) * 0.3))
    return round(right - left) + 2 * air, round(bottom - top) + 2 * air
