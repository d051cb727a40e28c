"""One look at an image file: whether it can be decoded, and by what it is known again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.images import DecodedImage, read_image
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.core.types import Image, Size

__all__ = ["SIDE", "Picture", "look_at"]

SIDE = 16
_FLATTEST = 4.0  # grey levels of spread below which a picture has nothing to be recognised by


@dataclass(frozen=True, eq=False)
class Picture:
    """Size as displayed and codes of what is odd, or the error; SHA-256 of the file, and 256 bits of its look.

    Bits [4] tell where brightness rises from left to right; None where there is nothing to be recognised by.
    """

    size: Size | None
    warnings: tuple[str, ...] = ()
    error: ImageError | None = None
    digest: str = ""
    bits: NDArray[np.uint64] | None = None


def look_at(path: Path, read: Callable[[Path], DecodedImage] = read_image) -> Picture:
    """Decodes an image file with all guards; nothing of it is kept but what a `Picture` holds."""
    try:
        known = digest(path) if path.is_file() else ""
    except OSError:  # the decoder says what is wrong
        known = ""
    try:
        decoded = read(path)
    except ImageError as error:
        return Picture(None, error=error, digest=known)
    height, width = decoded.pixels.shape[:2]
    return Picture(Size(height, width), decoded.warnings, None, known, _bits(decoded.pixels))


def _bits(pixels: Image) -> NDArray[np.uint64] | None:
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    if small.std() < _FLATTEST:
        return None
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)
