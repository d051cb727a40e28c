"""Whatever others call an image is either the right picture or an error that names its shape (fault 24)."""

import numpy as np
import pytest
from hostile import photo

from googlenet_rcnn.core.arrays import array_image
from googlenet_rcnn.core.types import as_image

RGB = photo(12, 17)
GRAY = RGB[:, :, 0]


def test_an_image_stays_as_it_is():
    assert array_image(RGB).tobytes() == RGB.tobytes()
    assert array_image(RGB.tolist()).tobytes() == RGB.tobytes()


@pytest.mark.parametrize("array", [GRAY, GRAY[:, :, None]], ids=["2-D", "HxWx1"])
def test_gray_is_gray_in_all_three_layers(array):
    pixels = array_image(array)
    assert all((pixels[:, :, layer] == GRAY).all() for layer in range(3))


@pytest.mark.parametrize(
    "array",
    [
        RGB / 255.0,
        (RGB / 255).astype(np.float32),
        (RGB / 255).astype(np.float64) * np.float32(1),
        RGB.astype(np.float32),
        RGB.astype(np.float64) + 0.49,
        RGB.astype(np.int64),
        RGB.astype(np.uint16),
        np.asfortranarray(RGB),
        np.repeat(RGB, 2, axis=1)[:, ::2],
        RGB[::-1][::-1],
    ],
    ids=["f64 0..1", "f32 0..1", "mixed", "f32 0..255", "rounds", "i64", "u16", "fortran", "strided", "turned"],
)
def test_types_ranges_and_strides_give_the_same_pixels(array):
    pixels = array_image(array)
    np.testing.assert_array_equal(pixels, RGB)
    assert as_image(pixels).flags.c_contiguous


def test_sixteen_bits_are_scaled_as_the_decoder_scales_them():
    deep = RGB.astype(np.uint16) * 257
    np.testing.assert_array_equal(array_image(deep), RGB)
    np.testing.assert_array_equal(array_image(deep + 128), RGB + 0)
    assert array_image(np.full((2, 2), 65_535, np.uint16)).min() == 255


def test_a_mask_is_black_and_white():
    mask = GRAY > 90
    np.testing.assert_array_equal(array_image(mask)[:, :, 1], mask * np.uint8(255))


def test_opencv_order_is_turned_and_gray_has_none():
    np.testing.assert_array_equal(array_image(RGB[:, :, ::-1], bgr=True), RGB)
    np.testing.assert_array_equal(array_image(GRAY, bgr=True), array_image(GRAY))
    layers = np.dstack([RGB[:, :, ::-1], np.full(GRAY.shape, 255, np.uint8)])
    np.testing.assert_array_equal(array_image(layers, bgr=True), RGB)


def test_a_fourth_layer_is_opacity_on_white():
    clear = np.dstack([RGB, np.zeros_like(GRAY)])
    assert (array_image(clear) == 255).all()
    half = np.zeros((1, 1, 4))
    half[..., 3] = 0.5
    half[..., 0] = 1.0
    assert array_image(half).tolist() == [[[255, 127, 127]]]


def test_the_array_is_neither_changed_nor_tied_to_the_pixels_of_its_copy():
    array = RGB / 255
    before = array.copy()
    array.flags.writeable = False
    array_image(array)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "named", "why"),
    [
        (np.zeros((0, 5, 3), np.uint8), "[0, 5, 3]", "no pixels"),
        (np.zeros((5, 0), np.uint8), "[5, 0]", "no pixels"),
        (np.zeros(0), "[0]", "no pixels"),
        (RGB.transpose(2, 0, 1), "[3, 12, 17]", "transpose(1, 2, 0)"),
        (GRAY[None], "[1, 12, 17]", "channels first"),
        (RGB[None], "[1, 12, 17, 3]", "is no image"),
        (np.zeros((9, 8, 2), np.uint8), "[9, 8, 2]", "is no image"),
        (np.zeros((9, 8, 5), np.uint8), "[9, 8, 5]", "is no image"),
        (np.zeros(7, np.uint8), "[7]", "is no image"),
        (np.uint8(3), "[]", "is no image"),
        (np.full((4, 4), 256.0), "[4, 4]", "from 256 to 256"),
        (np.full((4, 4), -0.1), "[4, 4]", "from -0.1"),
        (np.full((4, 4), 300), "[4, 4]", "from 300"),
        (np.full((4, 4), np.nan), "[4, 4]", "nan"),
        (np.full((4, 4), np.inf), "[4, 4]", "inf"),
        (np.zeros((4, 4), complex), "[4, 4]", "complex128"),
        (np.full((4, 4), "x"), "[4, 4]", "holds no levels"),
        (None, "[]", "object"),
    ],
)
def test_what_is_no_image_is_refused_by_its_shape(array, named, why):
    with pytest.raises(ValueError) as caught:
        array_image(array)
    assert named in str(caught.value)
    assert why in str(caught.value)
