"""Image files in, pixels [H,W,3] out: the one place that decodes, and it never trusts the file.

Every fault is an `ImageError` with a stable code, every oddity a warning code; no global setting of Pillow
is read or changed, so threads may decode side by side.
"""

import errno
import os
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.pixels import to_rgb, turn
from googlenet_rcnn.core.types import Image

__all__ = ["DecodedImage", "ImagePolicy", "decode_image", "read_image", "shown_name"]


@dataclass(frozen=True)
class ImagePolicy:
    """What is accepted: sizes in bytes and pixels, cut files (`truncated`), EXIF orientation."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 89_400_000
    max_side: int = 65_535
    truncated: Literal["fail", "salvage"] = "fail"
    exif: bool = True


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """Pixels uint8 [H,W,3] as displayed, codes of what was odd about the file, and its true format."""

    pixels: Image
    warnings: tuple[str, ...]
    format: str


# The plugin classes are opened directly: PIL.Image.open would try every format it knows, and its bomb
# limit is a process-wide global that cannot be raised for one caller.
_OPENERS: dict[str, Callable[[BytesIO], ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"8BPS": "Photoshop",
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x01\x00": "icon",
    b"\x76\x2f\x31\x01": "OpenEXR",
}
# How Pillow says that a sound header declares bands or depths it has no pixels for.
_UNREAD_LAYOUTS = ("unknown pixel mode", "samples per pixel", "unknown data organization", "Unsupported BMP")
_SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
    ".avif": "AVIF",
}


def read_image(path: str | os.PathLike[str], policy: ImagePolicy | None = None) -> DecodedImage:
    """Reads and decodes one image file; anything but a regular file is refused before it is opened."""
    policy = policy or ImagePolicy()
    name = os.fspath(path)
    try:
        _check_file(os.stat(path), name, policy)
        # Non-blocking, and checked again once open: the path may have become a FIFO since the stat.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:
            _check_file(os.fstat(file.fileno()), name, policy)
            data = file.read(policy.max_bytes + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        gone = isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError))
        if gone or getattr(error, "errno", None) == errno.ENAMETOOLONG:
            raise _fault("IMG_MISSING", name, "there is no such file; check the path") from error
        reason = getattr(error, "strerror", None) or "it cannot be read"
        raise _fault("IMG_UNREADABLE", name, f"{reason}; check the permissions and the links") from error
    return decode_image(data, policy, name)


def decode_image(data: bytes, policy: ImagePolicy | None = None, name: str = "image") -> DecodedImage:
    """Decodes the bytes of one image file; `name` stands in messages and gives the suffix to compare."""
    policy = policy or ImagePolicy()
    kind = _recognise(data, name, policy)
    notes: list[str] = []
    if _SUFFIXES.get(Path(name).suffix.lower(), kind) != kind:
        notes.append("IMG_EXT_MISMATCH")
    if kind == "PNG" and _png_checksum_fails(data):
        raise _fault("IMG_CORRUPT", name, "the PNG checksum is wrong; copy the file again from its source")
    try:
        opened = _open(data, kind, name, policy)
        if _has_more_frames(opened):
            notes.append("IMG_MULTI_FRAME")
        loaded = _load(opened, data, kind, name, policy, notes)
        pixels = to_rgb(loaded)
    except ImageError:
        raise
    except (ValueError, KeyError, OSError) as error:
        reason = f"pixels of mode {opened.mode} are not read; convert it to 8-bit RGB first"
        raise _fault("IMG_UNSUPPORTED_MODE", name, reason) from error
    except MemoryError as error:
        raise _fault("IMG_TOO_LARGE", name, "there is not enough memory for it; lower --max-pixels") from error
    # TIFF and AVIF turn their pixels when they load, and then no longer report an orientation.
    if policy.exif:
        pixels = turn(pixels, _orientation(opened))
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return DecodedImage(pixels, tuple(notes), kind)


def shown_name(name: str) -> str:
    """A file name fit for a message: what does not print is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _fault(code: str, name: str, reason: str) -> ImageError:
    return ImageError(code, f"{shown_name(name)}: {reason}")


def _check_file(status: os.stat_result, name: str, policy: ImagePolicy) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or device"
        raise _fault("IMG_NOT_A_FILE", name, f"this is {kind}, not an image file")
    if status.st_size > policy.max_bytes:
        raise _fault("IMG_TOO_LARGE", name, _too_many_bytes(status.st_size, policy))


def _too_many_bytes(size: int, policy: ImagePolicy) -> str:
    return f"{size} bytes are more than the {policy.max_bytes} allowed; save it smaller or raise --max-pixels"


def _recognise(data: bytes, name: str, policy: ImagePolicy) -> str:
    """Format by content; the suffix is not believed."""
    if not data:
        raise _fault("IMG_EMPTY", name, "the file has 0 bytes; copy it again from its source")
    if len(data) > policy.max_bytes:
        raise _fault("IMG_TOO_LARGE", name, _too_many_bytes(len(data), policy))
    kind = next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "WEBP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(struct.unpack(">I", data[:4])[0], 256)]
        kind = "AVIF" if b"avif" in brands or b"avis" in brands else "HEIC"
    if not kind and b"<svg" in data[:1024].lower():
        kind = "SVG"
    if not kind:
        start = ascii(data[:16])[1:]
        raise _fault("IMG_UNRECOGNISED", name, f"not an image, its first bytes are {start}")
    if kind not in _OPENERS:
        how = "install pillow-heif and convert it" if kind == "HEIC" else "convert it"
        raise _fault("IMG_UNSUPPORTED_FORMAT", name, f"{kind} is not read; {how} to PNG or JPEG first")
    return kind


def _png_checksum_fails(data: bytes) -> bool:
    """Whether a chunk that is there in full has a wrong checksum; Pillow skips those of the pixels."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return False
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            return True
        at = end + 4
    return False


def _open(data: bytes, kind: str, name: str, policy: ImagePolicy) -> ImageFile:
    """Reads the header only and checks the size it declares."""
    try:
        opened = _OPENERS[kind](BytesIO(data))
        width, height = opened.size
    except MemoryError:
        raise
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        raise _fault("IMG_TOO_LARGE", name, "far too many pixels; scale it down (--max-pixels)") from error
    except Exception as error:  # a damaged header makes plugins raise nearly anything
        if any(words in str(error) for words in _UNREAD_LAYOUTS) or isinstance(error, NotImplementedError):
            reason = f"this kind of {kind} is not read ({_line(error)}); convert it to 8-bit RGB first"
            raise _fault("IMG_UNSUPPORTED_FORMAT", name, reason) from error
        reason = f"the {kind} header is damaged or cut short ({_line(error)}); copy it again from its source"
        raise _fault("IMG_BAD_HEADER", name, reason) from error
    if not (1 <= width <= policy.max_side and 1 <= height <= policy.max_side):
        reason = f"the header says {width}x{height} pixels; a side may have 1 to {policy.max_side}"
        raise _fault("IMG_BAD_HEADER", name, reason)
    if width * height > policy.max_pixels:
        reason = f"{width}x{height} pixels are more than the {policy.max_pixels} allowed; raise --max-pixels"
        raise _fault("IMG_TOO_LARGE", name, reason)
    return opened


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def _has_more_frames(opened: ImageFile) -> bool:
    try:
        return bool(getattr(opened, "is_animated", False))
    except Exception:  # damage behind the first frame does not concern us
        return True


def _load(opened: ImageFile, data: bytes, kind: str, name: str, policy: ImagePolicy, notes: list[str]) -> ImageFile:
    """Decodes the pixels; a cut file passes if only its end mark is gone or if `policy` salvages."""
    try:
        opened.load()
        return opened
    except MemoryError:
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        if "truncated" not in str(error):
            reason = f"the {kind} data is damaged ({_line(error)}); copy it again from its source"
            raise _fault("IMG_CORRUPT", name, reason) from error
    if kind == "JPEG":
        mended = _padded(data, b"")
        if mended is not None:
            # Two different endings give the same picture only if every row lay before the cut.
            other = _padded(data, bytes((89 * i + 41) % 251 for i in range(1024)))
            if other is not None and mended.tobytes() == other.tobytes():
                notes.append("IMG_NO_EOI")
                return mended
    elif opened._im is not None:
        mended = opened
        mended.tile = []  # keeps Pillow from decoding again; rows that never came stay zero
    else:
        mended = None
    if policy.truncated == "salvage" and mended is not None:
        notes.append("IMG_TRUNCATED")
        return mended
    reason = f"the {kind} data ends early; copy it again, or accept what is there with --truncated salvage"
    raise _fault("IMG_TRUNCATED", name, reason)


def _padded(data: bytes, filling: bytes) -> ImageFile | None:
    """A JPEG whose missing end is made up of `filling` and an end mark; None if that fails too."""
    try:
        opened = JpegImagePlugin.JpegImageFile(BytesIO(data + filling + b"\xff\xd9"))
        opened.load()
        return opened
    except Exception:  # as in _load
        return None


def _orientation(opened: ImageFile) -> int:
    try:
        value = opened.getexif().get(0x0112, 1)
    except Exception:  # broken EXIF says nothing about the picture
        return 1
    return value if isinstance(value, int) else 1
