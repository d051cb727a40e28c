"""Pictures with boxes: legible on any background, one colour for a class."""

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from googlenet_rcnn.core.types import Image

__all__ = ["class_colour", "draw_detections"]


def class_colour(name: str) -> tuple[int, int, int]:
    """A colour that depends on the class name alone; hues step by the golden angle, so neighbours differ."""
    number = sum((position + 1) * ord(letter) for position, letter in enumerate(name))
    red, green, blue = colorsys.hsv_to_rgb(number * 0.381966 % 1.0, 0.75, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_detections(image: Image, detections: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """A copy of an image [H,W,3] with the boxes, names and scores of a row's detections."""
    picture = PillowImage.fromarray(image)
    pen = ImageDraw.Draw(picture)
    side = min(image.shape[:2])
    line = max(1, round(side / 160))
    font = ImageFont.load_default(size=max(10, round(side / 28)))
    # Worst first, so that the best is on top.
    for found in reversed(detections):
        x1, y1, x2, y2 = found["box"]
        colour = class_colour(found["label"])
        corners = (round(x1), round(y1), max(round(x1), round(x2) - 1), max(round(y1), round(y2) - 1))
        pen.rectangle(corners, outline=(0, 0, 0), width=line + 2)
        pen.rectangle(corners, outline=colour, width=line)
        text = f"{found['label']} {found['score']:.2f}"
        left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
        width, height = right - left + 6, bottom - top + 6
        at_x = min(max(0.0, x1), max(0.0, image.shape[1] - width))
        at_y = y1 - height if y1 >= height else min(y1 + line, max(0.0, image.shape[0] - height))
        pen.rectangle((at_x, at_y, at_x + width, at_y + height), fill=colour)
        luminance = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        ink = (0, 0, 0) if luminance > 140 else (255, 255, 255)
        pen.text((at_x + 3 - left, at_y + 3 - top), text, fill=ink, font=font)
    return np.asarray(picture)
