"""The size of an image from its header: nothing is decoded, and the guards are those of `images`."""

import os

from .errors import ImageError
from .images import ImagePolicy, _check_file, _fault, _open, _orientation, _recognise
from .types import Size

__all__ = ["image_size"]

_HEAD = 1 << 18


def image_size(path: str | os.PathLike[str], policy: ImagePolicy | None = None) -> Size:
    """Height and width of an image file as displayed; ImageError with the codes of `read_image`."""
    policy = policy or ImagePolicy()
    name = os.fspath(path)
    try:
        _check_file(os.stat(path), name, policy)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            _check_file(os.fstat(file.fileno()), name, policy)
            data = file.read(_HEAD)
            try:
                return _displayed(data, name, policy)
            except ImageError:  # the header may be longer, or, as in TIFF, at the end
                if not (rest := file.read(policy.max_bytes)):
                    raise
                return _displayed(data + rest, name, policy)
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or "there is no such file"
        code = "IMG_MISSING" if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)) else None
        raise _fault(code or "IMG_UNREADABLE", name, f"{reason}; check the path and its permissions") from error


def _displayed(data: bytes, name: str, policy: ImagePolicy) -> Size:
    kind = _recognise(data, name, policy)
    opened = _open(data, kind, name, policy)
    width, height = opened.size
    # Pillow turns the size of a TIFF itself; of a PNG it would decode all pixels to find EXIF behind them.
    looked = policy.exif and kind != "TIFF" and (kind != "PNG" or "exif" in opened.info)
    return Size(width, height) if looked and 5 <= _orientation(opened) <= 8 else Size(height, width)
