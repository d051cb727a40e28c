import os
import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import hostile
import numpy as np
import pytest
from PIL import Image

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.images import ImagePolicy, decode_image, read_image

SALVAGE = ImagePolicy(truncated="salvage")


def test_every_hostile_file_has_its_code_and_a_line_that_names_it_once(tmp_path):
    for name, code in hostile.fill_folder(tmp_path).items():
        path = tmp_path / name
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert caught.value.code == code, (name, caught.value)
        message = caught.value.message
        assert message.count(name) == 1, message
        assert "\n" not in message
        assert len(message) < 300 + len(str(path))


def test_every_odd_file_is_read_with_its_warnings():
    for name, (make, warnings) in hostile.ODD.items():
        image = decode_image(make(), name=name)
        assert image.warnings == warnings, name
        assert image.pixels.dtype == np.uint8
        assert image.pixels.shape[2] == 3


def test_text_shows_its_first_bytes():
    with pytest.raises(ImageError, match="<!DOCTYPE html>"):
        decode_image(hostile.html(), name="page.jpg")


def test_png_named_jpg_is_read_with_a_warning(tmp_path):
    path = hostile.write(tmp_path, "x.jpg", hostile.encoded(hostile.photo(), "PNG"))
    image = read_image(path)
    assert image.format == "PNG"
    assert image.warnings == ("IMG_EXT_MISMATCH",)
    assert np.array_equal(image.pixels, hostile.photo())
    assert not image.pixels.flags.writeable


def test_half_files_are_salvaged_only_on_request():
    whole = decode_image(hostile.jpeg()).pixels
    image = decode_image(hostile.half_jpeg(), SALVAGE)
    assert image.warnings == ("IMG_TRUNCATED",)
    assert image.pixels.shape == whole.shape
    assert np.array_equal(image.pixels[:8], whole[:8])
    image = decode_image(hostile.half_png(), SALVAGE)
    assert image.warnings == ("IMG_TRUNCATED",)
    assert np.array_equal(image.pixels[:50], hostile.photo(200, 300)[:50])
    assert not image.pixels[-1].any()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_jpeg_without_its_end_mark_is_accepted_but_no_shorter_one(options):
    data = hostile.encoded(hostile.photo(), "JPEG", quality=90, **options)
    image = decode_image(data[:-2])
    assert image.warnings == ("IMG_NO_EOI",)
    assert np.array_equal(image.pixels, decode_image(data).pixels)
    for cut in (40, len(data) // 3, len(data) // 2):
        with pytest.raises(ImageError) as caught:
            decode_image(data[:-cut])
        assert caught.value.code == "IMG_TRUNCATED"
        assert "--truncated salvage" in caught.value.message


def test_bomb_is_refused_before_it_is_unpacked():
    data = hostile.bomb()
    assert len(data) < 300_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match="--max-pixels"):
        decode_image(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_the_pixel_limit_is_ours_alone():
    limit = Image.MAX_IMAGE_PIXELS
    data = hostile.encoded(Image.new("1", (200, 100)), "PNG")
    with pytest.raises(ImageError, match="--max-pixels"):
        decode_image(data, ImagePolicy(max_pixels=19_999))
    assert decode_image(data, ImagePolicy(max_pixels=20_000)).pixels.shape == (100, 200, 3)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_too_many_bytes(tmp_path):
    data = hostile.jpeg()
    path = hostile.write(tmp_path, "x.jpg", data)
    policy = ImagePolicy(max_bytes=len(data) - 1)
    for read in (lambda: read_image(path, policy), lambda: decode_image(data, policy, "x.jpg")):
        with pytest.raises(ImageError) as caught:
            read()
        assert caught.value.code == "IMG_TOO_LARGE"
    assert read_image(path, replace(policy, max_bytes=len(data))).warnings == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_becomes_three_channels(mode):
    image = Image.fromarray(hostile.photo()).convert(mode)
    pixels = decode_image(hostile.encoded(image, "PNG")).pixels
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.asarray(image.convert("RGB")))


def test_transparency_lies_on_white():
    pixels = decode_image(hostile.hidden_colour()).pixels
    assert (pixels[:, :10] == 255).all()
    assert (pixels[:, 10:] == (0, 0, 255)).all()
    half = np.full((4, 4, 4), (0, 100, 200, 128), dtype=np.uint8)
    assert decode_image(hostile.encoded(half, "PNG")).pixels[0, 0].tolist() == [127, 177, 227]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((0, 0), 0)
    pixels = decode_image(hostile.encoded(palette, "PNG", transparency=0)).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == [0, 255, 0]


# Where the red corner and the size end up as displayed.
TURNS = {
    1: ((20, 40), "top left"),
    2: ((20, 40), "top right"),
    3: ((20, 40), "bottom right"),
    4: ((20, 40), "bottom left"),
    5: ((40, 20), "top left"),
    6: ((40, 20), "top right"),
    7: ((40, 20), "bottom right"),
    8: ((40, 20), "bottom left"),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_exif_orientation(orientation, kind):
    size, corner = TURNS[orientation]
    pixels = decode_image(hostile.with_orientation(orientation, kind)).pixels
    assert pixels.shape[:2] == size
    row = 3 if "top" in corner else -4
    column = 3 if "left" in corner else -4
    assert np.abs(pixels[row, column].astype(int) - (255, 0, 0)).max() < 30


def test_raw_orientation_and_senseless_exif():
    raw = decode_image(hostile.with_orientation(6), ImagePolicy(exif=False)).pixels
    assert raw.shape == (20, 40, 3)
    for orientation in (0, 9, 99):
        assert np.array_equal(decode_image(hostile.with_orientation(orientation)).pixels, raw)
    assert decode_image(hostile.broken_exif()).pixels.shape == (60, 80, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_only_the_first_frame(kind):
    image = decode_image(hostile.animation(kind))
    assert image.warnings == ("IMG_MULTI_FRAME",)
    assert image.format == kind
    assert np.abs(image.pixels.astype(int) - (255, 0, 0)).max() < 12


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 3)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_extreme_shapes(size, kind):
    image = decode_image(hostile.encoded(np.zeros((*size, 3), np.uint8), kind))
    assert image.pixels.shape == (*size, 3)
    assert not image.pixels.any()
    assert image.warnings == ()


def test_odd_file_names(tmp_path):
    for name in hostile.odd_names():
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(hostile.jpeg())
        assert read_image(os.fsdecode(path)).pixels.shape == (60, 80, 3)
        with open(path, "wb"):
            pass
        with pytest.raises(ImageError) as caught:
            read_image(os.fsdecode(path))
        assert caught.value.code == "IMG_EMPTY"
        assert caught.value.message.isprintable()
        caught.value.message.encode("utf-8")


def test_names_no_file_can_have(tmp_path):
    for name in ("a\0b.jpg", "x" * 300 + ".jpg", "file.jpg/inner.jpg"):
        hostile.write(tmp_path, "file.jpg", hostile.jpeg())
        with pytest.raises(ImageError) as caught:
            read_image(tmp_path / name)
        assert caught.value.code == "IMG_MISSING"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_permission(tmp_path):
    path = hostile.write(tmp_path, "x.jpg", hostile.jpeg())
    path.chmod(0)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert caught.value.code == "IMG_UNREADABLE"


def test_device_is_not_a_file():
    with pytest.raises(ImageError) as caught:
        read_image("/dev/zero")
    assert caught.value.code == "IMG_NOT_A_FILE"


def test_a_cut_image_never_shows_the_one_before():
    red = hostile.encoded(np.full((400, 400, 3), (255, 0, 0), np.uint8), "PNG")
    data = hostile.encoded(np.random.default_rng(0).integers(1, 200, (400, 400, 3)).astype(np.uint8), "PNG")
    for _ in range(3):
        decode_image(red)
        pixels = decode_image(data[: len(data) // 2], SALVAGE).pixels
        assert not (pixels == (255, 0, 0)).all(axis=2).any()
        assert not pixels[-1].any()


def test_threads_do_not_disturb_one_another():
    files = [
        hostile.jpeg(),
        hostile.half_jpeg(),
        hostile.encoded(hostile.photo(), "PNG"),
        hostile.hidden_colour(),
    ]
    alone = [decode_image(data, SALVAGE) for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: decode_image(data, SALVAGE), files * 20))
    for number, image in enumerate(together):
        assert np.array_equal(image.pixels, alone[number % 4].pixels)
        assert image.warnings == alone[number % 4].warnings


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_random_damage_gives_pixels_or_an_image_error():
    generator = np.random.default_rng(1)
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"):
        data = hostile.encoded(hostile.photo(20, 30), kind)
        for _ in range(60):
            damaged = bytearray(data)
            for at in generator.integers(0, len(data), 5):
                damaged[at] = generator.integers(256)
            with suppress(ImageError):
                cut = bytes(damaged[: generator.integers(1, len(data) + 1)])
                pixels = decode_image(cut, SALVAGE).pixels
                assert pixels.ndim == 3
                assert pixels.dtype == np.uint8
