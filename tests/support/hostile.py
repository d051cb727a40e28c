"""Hostile image files, each made by one function that returns its bytes or writes it into a folder."""

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def photo(height: int = 60, width: int = 80) -> np.ndarray:
    """A smooth picture [H,W,3] with some texture, the same at every call."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).integers(0, 30, (height, width, 3))
    return (np.stack([x * 2 % 200, y * 3 % 200, (x + y) % 200], axis=2) + noise).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture in a format."""
    file = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(file, kind, **options)
    return file.getvalue()


def write(folder: Path, name: str, data: bytes) -> Path:
    """Writes a file and returns its path."""
    path = folder / name
    path.write_bytes(data)
    return path


def jpeg() -> bytes:
    """A good JPEG."""
    return encoded(photo(), "JPEG", quality=90)


def half_jpeg() -> bytes:
    """A JPEG cut in half."""
    data = jpeg()
    return data[: len(data) // 2]


def jpeg_without_end() -> bytes:
    """A JPEG that lacks its end mark and nothing else."""
    return jpeg()[:-2]


def half_png() -> bytes:
    """A PNG cut in half."""
    data = encoded(photo(200, 300), "PNG")
    return data[: len(data) // 2]


def png_with_bad_checksum() -> bytes:
    """A PNG whose pixel chunk has a wrong checksum."""
    data = bytearray(encoded(photo(), "PNG"))
    at = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[at - 4 : at])
    data[at + 4 + length] ^= 0xFF
    return bytes(data)


def png_with_size(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG whose header declares any size at all."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def bomb(side: int = 40_000) -> bytes:
    """A small file that unpacks to `side` squared pixels."""
    return png_with_size(side, side, bytes((side // 8 + 1) * side))


def html() -> bytes:
    """What a web server answers instead of a picture."""
    return b"<!DOCTYPE html><html><body>404 Not Found</body></html>"


def animation(kind: str) -> bytes:
    """Three frames, the first one red."""
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def hidden_colour() -> bytes:
    """An RGBA PNG that is red below full transparency on its left half and opaque blue on its right."""
    layers = np.zeros((10, 20, 4), dtype=np.uint8)
    layers[:, :10] = (255, 0, 0, 0)
    layers[:, 10:] = (0, 0, 255, 255)
    return encoded(layers, "PNG")


def with_orientation(orientation: int, kind: str = "JPEG") -> bytes:
    """A 40x20 picture with a red left quarter as stored, and an EXIF orientation."""
    pixels = np.full((20, 40, 3), 255, dtype=np.uint8)
    pixels[:10, :10] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(pixels, kind, exif=exif.tobytes())


def broken_exif() -> bytes:
    """A JPEG whose EXIF block is rubbish."""
    return encoded(photo(), "JPEG", exif=b"Exif\x00\x00" + b"\xfe\xff" * 20)


def odd_names() -> list[bytes]:
    """File names that break careless programs."""
    return [
        "фото café 写真.jpg".encode(),
        b"with space.jpg",
        b"new\nline.jpg",
        b"x" * 251 + b".jpg",
        b"latin1-\xe9\xff.jpg",
        b"-rf.jpg",
    ]


def fill_folder(folder: Path) -> dict[str, str]:
    """Writes one file of each fault; maps its name to the code that reading it must give."""
    files = {
        "empty.jpg": (b"", "IMG_EMPTY"),
        "page.jpg": (html(), "IMG_UNRECOGNISED"),
        "half.jpg": (half_jpeg(), "IMG_TRUNCATED"),
        "half.png": (half_png(), "IMG_TRUNCATED"),
        "checksum.png": (png_with_bad_checksum(), "IMG_CORRUPT"),
        "bomb.png": (bomb(), "IMG_TOO_LARGE"),
        "huge_header.png": (png_with_size(2**31 - 1, 2**31 - 1), "IMG_BAD_HEADER"),
        "no_width.png": (png_with_size(0, 5), "IMG_BAD_HEADER"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "IMG_UNSUPPORTED_FORMAT"),
        "paper.pdf": (b"%PDF-1.7\n", "IMG_UNSUPPORTED_FORMAT"),
        "phone.heic": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "IMG_UNSUPPORTED_FORMAT"),
        "jpeg_header_only.jpg": (jpeg()[:20], "IMG_BAD_HEADER"),
    }
    for name, (data, _) in files.items():
        write(folder, name, data)
    codes = {name: code for name, (_, code) in files.items()}
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    os.symlink(folder / "loop.jpg", folder / "loop.jpg")
    codes |= {"folder.jpg": "IMG_NOT_A_FILE", "pipe.jpg": "IMG_NOT_A_FILE", "loop.jpg": "IMG_UNREADABLE"}
    return codes | {"gone.jpg": "IMG_MISSING"}
