"""One look at an image file."""

import hashlib

import numpy as np
import pytest
from hostile import encoded, fill_folder, jpeg_without_end, photo, with_orientation, write
from PIL import Image

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.picture import SIDE, look_at


def test_size_digest_and_bits(tmp_path):
    path = write(tmp_path, "a.png", encoded(photo(), "PNG"))
    picture = look_at(path)
    assert (picture.size, picture.error, picture.warnings) == (Size(60, 80), None, ())
    assert picture.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (picture.bits.shape, picture.bits.dtype) == ((SIDE * SIDE // 64,), np.uint64)


def test_bits_tell_where_brightness_rises(tmp_path):
    rising = np.repeat(np.linspace(0, 255, 170, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(160, axis=0)
    for pixels, ones in ((rising, SIDE * SIDE), (rising[:, ::-1], 0)):
        bits = look_at(write(tmp_path, "a.png", encoded(np.ascontiguousarray(pixels), "PNG"))).bits
        assert sum(int(word).bit_count() for word in bits) == ones
    flat = look_at(write(tmp_path, "a.png", encoded(Image.new("RGB", (50, 40), (9, 9, 9)), "PNG")))
    assert (flat.bits, flat.error) == (None, None)


def test_the_size_is_that_of_the_display_and_oddities_are_noted(tmp_path):
    assert look_at(write(tmp_path, "a.jpg", with_orientation(6))).size == Size(40, 20)
    odd = look_at(write(tmp_path, "a.png", jpeg_without_end()))
    assert odd.warnings == ("IMG_EXT_MISMATCH", "IMG_NO_EOI")


def test_every_hostile_file_gives_its_code_and_no_more(tmp_path):
    for name, code in fill_folder(tmp_path).items():
        picture = look_at(tmp_path / name)
        assert picture.error is not None, name
        assert (picture.error.code, picture.size, picture.bits) == (code, None, None), name
        assert bool(picture.digest) == (tmp_path / name).is_file(), name


@pytest.mark.parametrize("quality", [95, 40])
def test_compression_hardly_changes_the_bits(tmp_path, quality):
    smooth = np.asarray(Image.fromarray(photo(9, 12)).resize((240, 180), Image.Resampling.BICUBIC))
    one = look_at(write(tmp_path, "a.png", encoded(smooth, "PNG"))).bits
    other = look_at(write(tmp_path, "a.jpg", encoded(smooth, "JPEG", quality=quality))).bits
    assert sum(int(word).bit_count() for word in one ^ other) <= 12
