"""The size of an image from its header: nothing is decoded, and the guards are those of `images`."""

import os

from .errors import ImageError
from .images import ImagePolicy, _check_file, _fault, _open, _orientation, _recognise
from .types import Size

__all__ = ["image_size", "turned_by"]

_HEAD = 1 << 18


def image_size(path: str | os.PathLike[str], policy: ImagePolicy | None = None) -> Size:
    """Height and width of an image file as displayed; ImageError with the codes of `read_image`."""
    policy = policy or ImagePolicy()
    header, orientation = _header(path, policy)
    return Size(header.width, header.height) if 5 <= orientation <= 8 else header


def turned_by(path: str | os.PathLike[str]) -> int:
    """The EXIF orientation by which an image file is turned for display, 1 for none; ImageError as `image_size`."""
    return _header(path, ImagePolicy())[1]


def _header(path: str | os.PathLike[str], policy: ImagePolicy) -> tuple[Size, int]:
    """Size as stored, and the orientation that is still to be applied."""
    name = os.fspath(path)
    try:
        _check_file(os.stat(path), name, policy)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
            _check_file(os.fstat(file.fileno()), name, policy)
            data = file.read(_HEAD)
            try:
                return _parsed(data, name, policy)
            except ImageError:  # the header may be longer, or, as in TIFF, at the end
                if not (rest := file.read(policy.max_bytes)):
                    raise
                return _parsed(data + rest, name, policy)
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or "there is no such file"
        code = "IMG_MISSING" if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)) else None
        raise _fault(code or "IMG_UNREADABLE", name, f"{reason}; check the path and its permissions") from error


def _parsed(data: bytes, name: str, policy: ImagePolicy) -> tuple[Size, int]:
    kind = _recognise(data, name, policy)
    opened = _open(data, kind, name, policy)
    width, height = opened.size
    # Pillow turns the size of a TIFF itself; of a PNG it would decode all pixels to find EXIF behind them.
    looked = policy.exif and kind != "TIFF" and (kind != "PNG" or "exif" in opened.info)
    return Size(height, width), _orientation(opened) if looked else 1
