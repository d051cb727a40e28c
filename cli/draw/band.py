"""A band of captions below a picture: readable whatever the picture shows and however small it is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

__all__ = ["Caption", "with_captions"]

_PAPER, _INK = (255, 255, 255), (34, 34, 34)


class Caption(NamedTuple):
    """A text, and the colour of the patch that stands before it, if any."""

    text: str
    colour: tuple[int, int, int] | None = None


def with_captions(picture: NDArray[np.uint8], captions: Sequence[Caption], size: int) -> NDArray[np.uint8]:
    """A picture [H,W,3] above its captions in letters of `size` pixels; it is centred where they are wider.

    Captions stand in one line, and in several where they do not fit.
    """
    font = ImageFont.load_default(size=size)
    space, line, patch = size // 2, round(size * 1.6), round(size * 0.9)
    widths = [round(font.getlength(one.text)) + (0 if one.colour is None else patch + space) for one in captions]
    width = max(picture.shape[1], max(widths, default=0) + 2 * space)
    places, x, row = [], space, 0
    for taken in widths:
        if x > space and x + taken + space > width:
            x, row = space, row + 1
        places.append((x, row))
        x += taken + 2 * space
    height = picture.shape[0]
    canvas = PillowImage.new("RGB", (width, height + (row + 1) * line), _PAPER)
    canvas.paste(PillowImage.fromarray(picture), ((width - picture.shape[1]) // 2, 0))
    pen = ImageDraw.Draw(canvas)
    for (left, below), one in zip(places, captions, strict=True):
        x, middle = left, height + below * line + line // 2
        if one.colour is not None:
            pen.rectangle((x, middle - patch // 2, x + patch, middle + patch // 2), fill=one.colour)
            x += patch + space
        pen.text((x, middle), one.text, fill=_INK, font=font, anchor="lm")
    return np.asarray(canvas)
