import os

import numpy as np
import pytest
from hostile import bomb, fill_folder, photo, png_with_size, with_orientation, write
from PIL import Image

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.image_size import image_size, turned_by
from googlenet_rcnn.core.images import ImagePolicy, read_image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8, 0, 9, 99])
def test_it_is_the_size_of_the_pixels(tmp_path, kind, orientation):
    path = write(tmp_path, "a", with_orientation(orientation, kind))
    assert image_size(path) == read_image(path).pixels.shape[:2]
    unturned = ImagePolicy(exif=False)
    if kind not in ("TIFF", "AVIF"):
        assert image_size(path, unturned) == (20, 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_by_what_a_picture_is_turned(tmp_path, kind):
    for orientation in range(1, 9):
        path = write(tmp_path, "a", with_orientation(orientation, kind))
        assert turned_by(path) == (1 if kind == "TIFF" else orientation)  # Pillow has turned a TIFF's header already


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "PNG", "JPEG", "WEBP", "AVIF"])
def test_files_longer_than_one_look(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    Image.fromarray(noise).save(
        tmp_path / "a", kind, **({} if kind in ("BMP", "GIF", "TIFF", "PNG") else {"quality": 99})
    )
    assert image_size(tmp_path / "a") == (400, 600)


def test_a_header_behind_a_long_comment(tmp_path):
    Image.fromarray(photo(30, 50)).save(tmp_path / "a.jpg", exif=Image.Exif(), icc_profile=b"\0" * 400_000)
    assert os.path.getsize(tmp_path / "a.jpg") > 400_000
    assert image_size(tmp_path / "a.jpg") == (30, 50)


def test_damage_behind_the_header_does_not_matter_and_before_it_has_the_readers_code(tmp_path):
    for name, code in fill_folder(tmp_path).items():
        if code in ("IMG_TRUNCATED", "IMG_CORRUPT"):
            assert min(image_size(tmp_path / name)) > 0
        else:
            with pytest.raises(ImageError) as caught:
                image_size(tmp_path / name)
            assert caught.value.code == code, name


def test_bombs_stay_packed(tmp_path):
    path = write(tmp_path, "a.png", bomb(12_000))
    with pytest.raises(ImageError, match="IMG_TOO_LARGE"):
        image_size(path)
    assert image_size(write(tmp_path, "b.png", png_with_size(9000, 9000))) == (9000, 9000)
