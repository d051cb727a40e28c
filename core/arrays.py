"""Arrays in, pixels [H,W,3] out: what other libraries call an image, told apart by shape, type and range.

What could mean two things is refused with its shape rather than guessed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .pixels import to_rgb
from .types import Image

__all__ = ["array_image"]


def array_image(array: Any, *, bgr: bool = False) -> Image:
    """Pixels uint8 [H,W,3] of an array [H,W], [H,W,1], [H,W,3] or [H,W,4], whose last layer is opacity on white.

    Levels are bool, whole numbers of 0..255, uint16 of 0..65,535 if one is above 255, or floats: of 0..1 if none is
    above 1, of 0..255 otherwise. `bgr` says that blue comes first, as in OpenCV. ValueError names the shape, and the
    type or range, of anything else; channels that come first are never guessed.
    """
    values = np.asarray(array)
    what = f"an array {values.dtype} {list(values.shape)}"
    if values.size == 0:
        raise ValueError(f"{what} has no pixels")
    if values.ndim == 3 and values.shape[0] in (1, 3, 4) and values.shape[2] not in (1, 3, 4):
        raise ValueError(f"{what} has its channels first: pass array.transpose(1, 2, 0), which is [H,W,C]")
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise ValueError(f"{what} is no image: [H,W], [H,W,1], [H,W,3] or [H,W,4] is")
    levels = _levels(values, what)
    if bgr and levels.shape[2] >= 3:
        levels = levels[:, :, [2, 1, 0, *range(3, levels.shape[2])]]
    if levels.shape[2] == 4:
        return to_rgb(PillowImage.fromarray(np.ascontiguousarray(levels)))
    return np.ascontiguousarray(np.broadcast_to(levels, (*levels.shape[:2], 3)))


def _levels(values: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """Levels of any type and range as 0..255."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * 255
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{what} holds no levels: uint8, uint16, bool or float is needed")
    low, high = values.min(), values.max()
    if values.dtype == np.uint16 and high > 255:  # as the decoder takes 16-bit files
        return np.asarray((values.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    if not (low >= 0 and high <= 255):  # nor if one is not a number
        raise ValueError(f"{what} has levels from {low:g} to {high:g}: 0 to 1 or 0 to 255 is meant")
    if values.dtype.kind == "f":
        return np.asarray(np.floor(values * (255.0 if high <= 1 else 1.0) + 0.5), dtype=np.uint8)
    return values.astype(np.uint8)
