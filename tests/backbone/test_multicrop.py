"""The views of the paper, counted out again by plain loops, and the pixels that they hold."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hostile import photo
from hypothesis import given
from hypothesis import strategies as st

from googlenet_rcnn.backbone import multicrop as module
from googlenet_rcnn.backbone.multicrop import CROPS, SIDE, View, multicrop, resized_size, views
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Size

CUBIC = "cv2.INTER_CUBIC"
SIZES = st.builds(Size, st.integers(1, 3000), st.integers(1, 3000))


def counted_out(width, height, shorts, squares):
    """Views in words: which square, which part of it, mirrored or not; offsets worked out one at a time."""
    found = []
    for short in shorts:
        wide = width >= height
        long = int(max(width, height) / min(width, height) * short + 0.5)
        for square in squares:
            offset = {"first": 0, "middle": (long - short) // 2, "last": long - short}[square]
            left, top = (offset, 0) if wide else (0, offset)
            for part in ("top left", "top right", "bottom left", "bottom right", "centre", "whole"):
                if part == "whole" and squares == ["middle"]:
                    continue
                x = y = (short - 224) // 2 if part == "centre" else 0
                x = short - 224 if "right" in part else x
                y = short - 224 if "bottom" in part else y
                side = short if part == "whole" else 224
                for mirrored in (False, True):
                    found.append((short, left + x, top + y, side, mirrored))
    return found


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (400, 400), (333, 500), (1, 1), (31, 7)])
def test_views_are_those_of_the_paper(size):
    width, height = size
    every = counted_out(width, height, (256, 288, 320, 352), ["first", "middle", "last"])
    assert [tuple(view) for view in views(Size(height, width), 144)] == every
    assert len(every) == 144
    ten = counted_out(width, height, (256,), ["middle"])
    assert [tuple(view) for view in views(Size(height, width), 10)] == ten
    assert len(ten) == 10


def test_sizes_and_offsets_of_a_common_photograph():
    """The anchors of a 500x375 image; halves of a pixel go to the left."""
    size = Size(375, 500)
    resized = [resized_size(size, short) for short in (256, 288, 320, 352)]
    assert resized == [(256, 341), (288, 384), (320, 427), (352, 469)]
    assert [resized_size(Size(500, 375), short) for short in (256, 288)] == [(341, 256), (384, 288)]
    whole = [view for view in views(size, 144) if view.side != SIDE and not view.mirrored]
    offsets = [[view.left for view in whole if view.short == short] for short in (256, 288, 320, 352)]
    assert offsets == [[0, 42, 85], [0, 48, 96], [0, 53, 107], [0, 58, 117]]
    assert all(view.top == 0 for view in whole)


def test_half_of_the_longer_side_is_rounded_up():
    assert resized_size(Size(512, 769), 256) == (256, 385)
    assert resized_size(Size(767, 512), 256) == (384, 256)


@given(SIZES)
def test_fewer_views_are_among_more(size):
    one, ten, every = (views(size, crops) for crops in CROPS)
    assert (len(one), len(ten), len(every)) == CROPS
    assert set(one) <= set(ten) <= set(every)
    assert not one[0].mirrored
    assert one[0].left - (resized_size(size, 256).width - SIDE - one[0].left) in (0, -1)


@given(SIZES)
def test_no_view_leaves_the_image_and_mirrors_follow_their_originals(size):
    for view in views(size, 144):
        height, width = resized_size(size, view.short)
        assert 0 <= view.left <= width - view.side
        assert 0 <= view.top <= height - view.side
        assert view.side in (SIDE, view.short)
    for original, mirrored in zip(views(size, 144)[::2], views(size, 144)[1::2], strict=True):
        assert original._replace(mirrored=True) == mirrored


@given(SIZES)
def test_an_image_on_its_side_is_seen_on_its_side(size):
    turned = [View(short, top, left, side, mirror) for short, left, top, side, mirror in views(size, 144)]
    assert sorted(views(Size(size.width, size.height), 144)) == sorted(turned)


def test_squares_of_a_square_image_count_three_times():
    found = views(Size(300, 300), 144)
    assert len(found) == 144
    assert all(found.count(view) == 3 for view in found)


def test_crops_are_cut_where_the_views_say():
    """At 256x341 nothing is resized at the first size, so that the pixels themselves can be told."""
    image = np.random.default_rng(0).integers(0, 256, (256, 341, 3), dtype=np.uint8)
    crops = multicrop(image, 144, CUBIC)
    assert (crops.shape, crops.dtype) == ((144, 224, 224, 3), np.uint8)
    for crop, (short, left, top, side, mirrored) in zip(crops, views(Size(256, 341), 144), strict=True):
        resized = cv2.resize(image, (round(341 / 256 * short), short), interpolation=cv2.INTER_CUBIC)
        square = resized[top : top + side, left : left + side]
        expected = square if side == 224 else cv2.resize(square, (224, 224), interpolation=cv2.INTER_CUBIC)
        np.testing.assert_array_equal(crop[:, ::-1] if mirrored else crop, expected)
    np.testing.assert_array_equal(multicrop(image, 1, CUBIC)[0], image[16:240, 58:282])


@pytest.mark.parametrize("size", [(60, 200), (200, 60), (256, 256), (1, 900)])
def test_a_squashed_image_is_seen_as_the_square_that_it_becomes(size):
    """The one view is all of the picture; the others are those of a square image, at each of the four sizes."""
    image = photo(*size)
    (one,) = multicrop(image, 1, CUBIC, squash=True)
    np.testing.assert_array_equal(one, cv2.resize(image, (224, 224), interpolation=cv2.INTER_CUBIC))
    for crops in (10, 144):
        found = multicrop(image, crops, CUBIC, squash=True)
        for crop, (short, left, top, side, mirrored) in zip(found, views(Size(1, 1), crops), strict=True):
            square = cv2.resize(image, (short, short), interpolation=cv2.INTER_CUBIC)
            expected = square[top : top + side, left : left + side]
            expected = expected if side == 224 else cv2.resize(expected, (224, 224), interpolation=cv2.INTER_CUBIC)
            np.testing.assert_array_equal(crop[:, ::-1] if mirrored else crop, expected)


@pytest.mark.parametrize("crops", CROPS)
def test_equal_images_give_equal_crops(crops):
    image = photo(90, 70)
    image.flags.writeable = False
    assert multicrop(image, crops, CUBIC).tobytes() == multicrop(image.copy(), crops, CUBIC).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (3, 2000), (2000, 3), (5, 4)])
def test_small_and_thin_images_are_enlarged(size):
    """FAULTS 18."""
    image = np.full((*size, 3), (10, 200, 90), dtype=np.uint8)
    crops = multicrop(image, 144, CUBIC)
    assert crops.shape == (144, 224, 224, 3)
    assert (crops == image[0, 0]).all()


@pytest.mark.parametrize("turned", [False, True])
def test_a_long_image_is_seen_as_if_it_were_resized_whole(monkeypatch, turned):
    image = photo(20, 400)
    image = image.swapaxes(0, 1) if turned else image
    short_way = multicrop(image, 144, CUBIC).astype(int)
    monkeypatch.setattr(module, "_LONGEST", 10**6)
    assert np.abs(short_way - multicrop(image, 144, CUBIC)).max() <= 1


def test_a_very_long_image_needs_little_memory():
    """FAULTS 18: resized whole this would be 60 gigabytes."""
    image = np.zeros((1, 65_535, 3), dtype=np.uint8)
    tracemalloc.start()
    multicrop(image, 144, CUBIC)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 << 20


def test_the_card_chooses_the_filter():
    image = photo(300, 400)
    named = {name: multicrop(image, 1, f"cv2.INTER_{name}").tobytes() for name in ("CUBIC", "NEAREST", "AREA")}
    assert len(set(named.values())) == 3


@pytest.mark.parametrize("name", ["cv2.INTER_NONE", "resize", "", "cv2.imread", "PIL.BICUBIC"])
def test_a_filter_that_is_not_known_is_named(name):
    with pytest.raises(ModelError, match=r"MODEL_FILTER.*resize_filter"):
        multicrop(photo(), 1, name)


@pytest.mark.parametrize("crops", [0, 2, 143, -1])
def test_other_numbers_of_crops_are_refused(crops):
    with pytest.raises(ValueError, match="1, 10, 144"):
        views(Size(10, 10), crops)
