"""The views of an image that a classifier averages over: one, AlexNet's ten, or the paper's 144.

Szegedy et al. 2014, section 7: at four sizes, of the squares at both ends and in the middle of the image, the
four corners, the centre and the whole square, each also mirrored. The paper does not define its ten views and
its single one; here they are AlexNet's, so that the one is among the ten and the ten are among the 144.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Image, Size, as_image

__all__ = ["CROPS", "SIDE", "View", "multicrop", "resized_size", "views"]

CROPS = (1, 10, 144)
SIDE = 224
"""Height and width of a crop in pixels."""

_SHORT_SIDES = (256, 288, 320, 352)
_FILTERS = {
    name: getattr(cv2, name)
    for name in ("INTER_AREA", "INTER_CUBIC", "INTER_LANCZOS4", "INTER_LINEAR", "INTER_NEAREST")
}
_LONGEST = 9  # shorter sides; of a longer image no view sees the rest


class View(NamedTuple):
    """A square with corner (`left`, `top`) in the image whose shorter side was resized to `short` pixels."""

    short: int
    left: int
    top: int
    side: int
    mirrored: bool


_WHOLE = View(SIDE, 0, 0, SIDE, mirrored=False)


def resized_size(size: Size, short: int) -> Size:
    """The size of an image once its shorter side is `short`; the longer one is rounded, halves up."""
    shorter, longer = min(size), max(size)
    long = (2 * longer * short + shorter) // (2 * shorter)
    return Size(short, long) if size.width >= size.height else Size(long, short)


def views(size: Size, crops: int) -> list[View]:
    """The 1, 10 or 144 views of an image, each followed by its mirror image.

    A centre that falls between two pixels (the paper is silent) moves half a pixel to the left or up, as in
    Caffe. The three squares of a square image coincide and count three times. ValueError for other numbers.
    """
    if crops not in CROPS:
        raise ValueError(f"crops are {', '.join(map(str, CROPS))}, got {crops}")
    if crops == 1:
        return views(size, 10)[-2:-1]  # the centre, not mirrored
    every = crops == 144
    found = []
    for short in _SHORT_SIDES if every else _SHORT_SIDES[:1]:
        height, width = resized_size(size, short)
        end, middle = short - SIDE, (short - SIDE) // 2
        squares = [(0, 0, SIDE), (end, 0, SIDE), (0, end, SIDE), (end, end, SIDE), (middle, middle, SIDE)]
        squares += [(0, 0, short)] if every else []
        for half in (0, 1, 2) if every else (1,):
            left, top = (width - short) * half // 2, (height - short) * half // 2
            for x, y, side in squares:
                found += [View(short, left + x, top + y, side, mirrored) for mirrored in (False, True)]
    return found


def multicrop(image: Image, crops: int, resize_filter: str, squash: bool = False) -> NDArray[np.uint8]:
    """Crops uint8 [n,224,224,3] of an image uint8 [H,W,3] in the order of `views`; small images are enlarged.

    `resize_filter` and `squash` are what a Card says: a squashed image is treated as a square one (as Caffe's
    training did), but for the one view, which is all of it. ModelError if OpenCV has no such filter.
    """
    method = _FILTERS.get(resize_filter.removeprefix("cv2."))
    if method is None:
        raise ModelError("MODEL_FILTER", f"the card asks for resize_filter {resize_filter!r}, which OpenCV lacks")
    image = as_image(image) if squash else _ends_and_middle(as_image(image))
    size = Size(SIDE, SIDE) if squash else Size(*image.shape[:2])
    chosen = [_WHOLE] if squash and crops == 1 else views(size, crops)
    result = np.empty((len(chosen), SIDE, SIDE, 3), dtype=np.uint8)
    short, resized = 0, image
    for crop, view in zip(result, chosen, strict=True):
        if view.short != short:
            short = view.short
            resized = _resize(image, resized_size(size, short), method)
        square = resized[view.top : view.top + view.side, view.left : view.left + view.side]
        if view.side != SIDE:
            square = _resize(square, Size(SIDE, SIDE), method)
        crop[:] = square[:, ::-1] if view.mirrored else square
    return result


def _resize(image: Image, size: Size, method: int) -> Image:
    return np.asarray(cv2.resize(image, (size.width, size.height), interpolation=method), dtype=np.uint8)


def _ends_and_middle(image: Image) -> Image:
    """An image no longer than `_LONGEST` of its shorter sides: resized whole, 1x60,000 pixels would be gigabytes."""
    height, width = image.shape[:2]
    if height > width:
        return np.ascontiguousarray(_ends_and_middle(image.swapaxes(0, 1)).swapaxes(0, 1))
    if width <= _LONGEST * height:
        return image
    piece = _LONGEST // 3 * height
    middle = (width - piece) // 2
    return np.concatenate([image[:, :piece], image[:, middle : middle + piece], image[:, -piece:]], axis=1)
