"""Hostile image files, each made by one function that returns its bytes or writes it into a folder."""

import os
import struct
import zlib
from collections.abc import Callable
from functools import partial
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


def with_orientation(orientation: int, kind: str = "JPEG", ground: tuple[int, int, int] = (255, 255, 255)) -> bytes:
    """A 40x20 picture with a red upper left corner as stored, and an EXIF orientation."""
    pixels = np.full((20, 40, 3), ground, dtype=np.uint8)
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


def deep_gray(levels: np.ndarray, kind: str = "TIFF") -> bytes:
    """Levels of 16, 32 or floating bits, which a plain conversion cuts off."""
    return encoded(Image.fromarray(levels), kind)


def ramp() -> np.ndarray:
    """All levels of 16 bits, from black to white."""
    return np.linspace(0, 65_535, 60 * 80).reshape(60, 80).astype(np.uint16)


def four_inks() -> np.ndarray:
    """Cyan, magenta, yellow and black [H,W,4] of every mixture, changing slowly."""
    y, x = np.mgrid[:64, :64]
    return np.stack([x * 3, y * 3, (x + y) * 3 // 2, (63 - x) * 2], axis=2).astype(np.uint8)


def cmyk_jpeg() -> bytes:
    """A JPEG of four inks, as print shops send."""
    return encoded(Image.fromarray(four_inks(), "CMYK"), "JPEG", quality=98)


def ycck_jpeg() -> bytes:
    """The same as Photoshop stores it: the three colours turned into brightness and two differences."""
    inks = four_inks()
    turned = np.asarray(Image.fromarray(inks[:, :, :3]).convert("YCbCr"))
    data = bytearray(encoded(Image.fromarray(np.dstack([255 - turned, inks[:, :, 3]]), "CMYK"), "JPEG", quality=98))
    data[data.index(b"Adobe") + 11] = 2  # the transform: YCCK
    return bytes(data)


def many_bands() -> bytes:
    """A TIFF that declares seven samples a pixel."""
    data = bytearray(encoded(np.zeros((4, 4, 4), np.uint8), "TIFF"))
    at = data.index((277).to_bytes(2, "little") + (3).to_bytes(2, "little"))
    data[at + 8 : at + 10] = (7).to_bytes(2, "little")
    return bytes(data)


def tiff_pointing_nowhere() -> bytes:
    """A TIFF whose directory lies behind its end."""
    return b"II*\x00" + struct.pack("<I", 0x7FFF_FFF0) + bytes(64)


def flat(width: int, height: int, shade: int = 0, kind: str = "PNG") -> bytes:
    """One shade throughout, of any shape."""
    return encoded(np.full((height, width, 3), shade, np.uint8), kind)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (bytes, "IMG_EMPTY"),
    "page.jpg": (html, "IMG_UNRECOGNISED"),
    "zeros.jpg": (lambda: bytes(4096), "IMG_UNRECOGNISED"),
    "one_byte.jpg": (lambda: b"\xff", "IMG_UNRECOGNISED"),
    "half.jpg": (half_jpeg, "IMG_TRUNCATED"),
    "half.png": (half_png, "IMG_TRUNCATED"),
    "half.webp": (lambda: _half("WEBP"), "IMG_BAD_HEADER"),
    "half.tif": (lambda: encoded(photo(), "TIFF")[:9000], "IMG_TRUNCATED"),
    "half.bmp": (lambda: _half("BMP"), "IMG_TRUNCATED"),
    "half.gif": (lambda: _half("GIF"), "IMG_TRUNCATED"),
    "half.avif": (lambda: _half("AVIF"), "IMG_BAD_HEADER"),
    "checksum.png": (png_with_bad_checksum, "IMG_CORRUPT"),
    "bomb.png": (bomb, "IMG_TOO_LARGE"),
    "huge_header.png": (lambda: png_with_size(2**31 - 1, 2**31 - 1), "IMG_BAD_HEADER"),
    "no_width.png": (lambda: png_with_size(0, 5), "IMG_BAD_HEADER"),
    "no_height.png": (lambda: png_with_size(5, 0), "IMG_BAD_HEADER"),
    "long_side.png": (lambda: png_with_size(70_000, 1), "IMG_BAD_HEADER"),
    "jpeg_header_only.jpg": (lambda: jpeg()[:20], "IMG_BAD_HEADER"),
    "png_signature_only.png": (lambda: b"\x89PNG\r\n\x1a\n", "IMG_BAD_HEADER"),
    "nowhere.tif": (tiff_pointing_nowhere, "IMG_BAD_HEADER"),
    "bands.tif": (many_bands, "IMG_UNSUPPORTED_FORMAT"),
    "drawing.svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "IMG_UNSUPPORTED_FORMAT"),
    "paper.pdf": (lambda: b"%PDF-1.7\n", "IMG_UNSUPPORTED_FORMAT"),
    "icon.png": (lambda: encoded(photo(), "ICO"), "IMG_UNSUPPORTED_FORMAT"),
    "wave.jpg": (lambda: encoded(photo(), "JPEG2000"), "IMG_UNSUPPORTED_FORMAT"),
    "phone.heic": (lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "IMG_UNSUPPORTED_FORMAT"),
}
"""Files that are refused, and with which code."""

ODD: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "png.jpg": (lambda: encoded(photo(), "PNG"), ("IMG_EXT_MISMATCH",)),
    "no_end.jpg": (jpeg_without_end, ("IMG_NO_EOI",)),
    "moving.gif": (lambda: animation("GIF"), ("IMG_MULTI_FRAME",)),
    "moving.webp": (lambda: animation("WEBP"), ("IMG_MULTI_FRAME",)),
    "moving.png": (lambda: animation("PNG"), ("IMG_MULTI_FRAME",)),
    "moving.avif": (lambda: animation("AVIF"), ("IMG_MULTI_FRAME",)),
    "pages.tif": (lambda: animation("TIFF"), ("IMG_MULTI_FRAME",)),
    "inks.jpg": (cmyk_jpeg, ()),
    "photoshop.jpg": (ycck_jpeg, ()),
    "sixteen.png": (lambda: deep_gray(ramp(), "PNG"), ()),
    "sixteen.tif": (lambda: deep_gray(ramp()), ()),
    "big_endian.tif": (lambda: deep_gray(ramp().astype(">u2")), ()),
    "thirty_two.tif": (lambda: deep_gray(ramp().astype(np.int32)), ()),
    "float.tif": (lambda: deep_gray(ramp().astype(np.float32) / 65_535), ()),
    "nan.tif": (lambda: deep_gray(np.full((9, 9), np.nan, np.float32)), ()),
    "gray.png": (lambda: encoded(Image.fromarray(photo()).convert("L"), "PNG"), ()),
    "gray_alpha.png": (lambda: encoded(Image.fromarray(photo()).convert("LA"), "PNG"), ()),
    "one_bit.png": (lambda: encoded(Image.fromarray(photo()).convert("1"), "PNG"), ()),
    "palette.png": (lambda: encoded(Image.fromarray(photo()).convert("P"), "PNG", transparency=3), ()),
    "hidden.png": (hidden_colour, ()),
    **{f"turned_{turn}.jpg": (partial(with_orientation, turn), ()) for turn in (*range(10), 99)},
    "broken_exif.jpg": (broken_exif, ()),
    "pixel.png": (lambda: flat(1, 1), ()),
    "thread.png": (lambda: flat(1, 2000), ()),
    "ribbon.png": (lambda: flat(2000, 3), ()),
    "tall.jpg": (lambda: flat(3, 2000, kind="JPEG"), ()),
    "black.png": (lambda: flat(60, 40), ()),
    "white.bmp": (lambda: flat(60, 40, 255, "BMP"), ()),
}
"""Files that are odd but good, and the warnings they bring."""


def _half(kind: str) -> bytes:
    data = encoded(photo(200, 300), kind)
    return data[: len(data) // 2]


def fill_folder(folder: Path) -> dict[str, str]:
    """Writes one file of each fault; maps its name to the code that reading it must give."""
    for name, (make, _) in BAD.items():
        write(folder, name, make())
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    os.symlink(folder / "loop.jpg", folder / "loop.jpg")
    codes = {name: code for name, (_, code) in BAD.items()}
    codes |= {"folder.jpg": "IMG_NOT_A_FILE", "pipe.jpg": "IMG_NOT_A_FILE", "loop.jpg": "IMG_UNREADABLE"}
    return codes | {"gone.jpg": "IMG_MISSING"}
