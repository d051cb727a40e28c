"""Views: pixels against OpenCV's own resizing, objects against what can be seen, and where crops may lie."""

import cv2
import numpy as np
import pytest
from hostile import photo
from pydantic import ValidationError
from tiny_voc import truth

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.proposals.views import View, ViewSampling, sample_views, view_objects, view_pixels, whole_view

SIDE, GREY = 64, (9, 8, 7)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def resized(image: np.ndarray, side: int = SIDE, interpolation: int = cv2.INTER_AREA) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=interpolation)


def test_the_whole_view_is_the_image_squashed() -> None:
    image = photo(90, 170)
    assert np.array_equal(view_pixels(image, whole_view(Size(90, 170)), SIDE, GREY), resized(image))
    small = photo(20, 30)
    enlarged = view_pixels(small, whole_view(Size(20, 30)), SIDE, GREY)
    assert np.array_equal(enlarged, resized(small, interpolation=cv2.INTER_LINEAR))
    assert (enlarged.shape, enlarged.dtype) == ((SIDE, SIDE, 3), np.uint8)


def test_a_view_within_the_image_is_a_crop_squashed() -> None:
    image = photo(150, 200)
    view = View(30, 20, 130, 140, False)
    assert np.array_equal(view_pixels(image, view, SIDE, GREY), resized(image[20:140, 30:130]))


@pytest.mark.parametrize("view", [View(0, 0, 80, 60, False), View(10, -9, 70, 90, False)])
def test_a_mirrored_view_is_the_view_flipped(view) -> None:
    image = photo(60, 80)
    mirrored = view_pixels(image, view._replace(mirrored=True), SIDE, GREY)
    assert np.array_equal(mirrored, view_pixels(image, view, SIDE, GREY)[:, ::-1])


def test_outside_the_image_is_the_fill_colour() -> None:
    white = np.full((40, 60, 3), 255, np.uint8)
    pixels = view_pixels(white, View(-30, -10, 90, 70, False), 80, GREY)  # twice the image each way
    expected = np.empty_like(pixels)
    expected[:] = GREY
    expected[10:50, 20:60] = 255
    assert np.array_equal(pixels, expected)
    wide = view_pixels(white, View(-40, 0, 60, 40, False), 50, GREY)
    assert (wide[:, :20] == GREY).all()
    assert (wide[:, 20:] == 255).all()
    nothing = view_pixels(white, View(60, 0, 90, 40, False), 50, GREY)
    assert (nothing == GREY).all()


def test_an_image_of_one_pixel_can_be_looked_at() -> None:
    pixels = view_pixels(np.full((1, 1, 3), 200, np.uint8), View(0, 0, 1, 1, True), 5, GREY)
    assert (pixels == 200).all()


def test_objects_are_where_they_are_seen() -> None:
    size, seen = Size(120, 200), 0
    for seed in range(40):
        x1, y1 = random(seed).integers(0, (150, 80))
        box = (x1, y1, x1 + 40, y1 + 30)
        image = np.zeros((*size, 3), np.uint8)
        image[y1 : y1 + 30, x1 : x1 + 40] = 255
        for view in sample_views(size, ViewSampling(crops=3), random(seed)):
            found = view_objects(truth([(0, box, False)], size), view, 0.4)
            bright = view_pixels(image, view, 224, (0, 0, 0))[..., 0] > 127
            ys, xs = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
            for row in found:
                np.testing.assert_allclose(row * 224, (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1), atol=1.6)
                seen += 1
    assert seen > 150  # of 200


def test_an_object_cut_by_the_border_stays_while_enough_of_it_is_seen() -> None:
    objects = truth([(0, (50, 20, 150, 60), False)])  # its right half lies beyond x = 100
    view = View(0, 0, 100, 100, False)
    for kept, count in ((0.4, 1), (0.5, 1), (0.51, 0)):
        assert len(view_objects(objects, view, kept)) == count
    np.testing.assert_allclose(view_objects(objects, view, 0.5), [(0.5, 0.2, 1, 0.6)])
    np.testing.assert_allclose(view_objects(objects, view._replace(mirrored=True), 0.5), [(0, 0.2, 0.5, 0.6)])
    assert view_objects(objects, View(160, 0, 200, 100, False), 0.01).shape == (0, 4)


def test_the_whole_view_keeps_every_object_but_the_difficult_in_their_order() -> None:
    boxes = [(0, 0, 200, 100), (33, 7, 34, 8), (150, 20, 200, 99), (10, 10, 90, 90)]
    objects = truth([(n, box, n == 2) for n, box in enumerate(boxes)])
    found = view_objects(objects, whole_view(objects.size), 1.0)
    np.testing.assert_allclose(found * (200, 100, 200, 100), [boxes[0], boxes[1], boxes[3]], rtol=1e-6)
    assert found.dtype == np.float32
    assert view_objects(truth(), whole_view(objects.size), 0.4).shape == (0, 4)


def test_objects_flip_with_their_view() -> None:
    objects = truth([(0, (20, 10, 60, 40), False), (1, (90, 50, 160, 95), False)])
    for view in sample_views(objects.size, ViewSampling(crops=20), random()):
        straight, mirrored = (view_objects(objects, view._replace(mirrored=flag), 0.4) for flag in (False, True))
        np.testing.assert_allclose(mirrored[:, [2, 1, 0, 3]], straight * (-1, 1, -1, 1) + (1, 0, 1, 0), atol=1e-6)


def test_views_are_the_whole_its_mirror_image_and_crops() -> None:
    size = Size(375, 500)
    views = sample_views(size, ViewSampling(crops=5), random())
    assert views[:2] == [View(0, 0, 500, 375, False), View(0, 0, 500, 375, True)]
    assert len(views) == 7
    assert sample_views(size, ViewSampling(crops=0), random()) == views[:2]


def test_crops_keep_to_the_limits() -> None:
    size, sampling = Size(400, 600), ViewSampling(crops=600, least_area=0.25, greatest_area=2.25, stretch=1.5)
    crops = sample_views(size, sampling, random())[2:]
    for low, high, full in ((0, 2, 600), (1, 3, 400)):
        start, end = (np.array([crop[axis] for crop in crops]) for axis in (low, high))
        larger = end - start >= full
        assert 0.2 < larger.mean() < 0.8
        assert (start[larger] <= 0).all()
        assert (end[larger] >= full).all()
        assert (start[~larger] >= 0).all()
        assert (end[~larger] <= full).all()
        spare = full - (end - start)
        place = start[spare != 0] / spare[spare != 0]  # from 0 to 1, whichever is the larger
        for some in (place[larger[spare != 0]], place[~larger[spare != 0]]):
            np.testing.assert_allclose(np.quantile(some, (0.02, 0.5, 0.98)), (0.02, 0.5, 0.98), atol=0.08)
    width, height = (np.array([crop[axis + 2] - crop[axis] for crop in crops]) for axis in (0, 1))
    area, aspect = width * height / (600 * 400), width / height / 1.5
    assert 0.248 < area.min() < 0.3
    assert 2 < area.max() < 2.26
    assert 0.66 < aspect.min() < 0.7
    assert 1.43 < aspect.max() < 1.51
    assert 0.4 < (area < 0.75).mean() < 0.6  # the middle on a logarithmic scale
    assert 0.4 < np.mean([crop.mirrored for crop in crops]) < 0.6


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 300), Size(300, 2)])
def test_crops_of_the_smallest_images_hold_a_pixel(size) -> None:
    for view in sample_views(size, ViewSampling(crops=60), random()):
        assert min(view.x2, size.width) > max(view.x1, 0)
        assert min(view.y2, size.height) > max(view.y1, 0)
        assert view_pixels(np.full((*size, 3), 255, np.uint8), view, 32, (0, 0, 0)).max() == 255


def test_the_generator_decides() -> None:
    size, sampling = Size(100, 200), ViewSampling()
    assert sample_views(size, sampling, random(5)) == sample_views(size, sampling, random(5))
    assert sample_views(size, sampling, random(5)) != sample_views(size, sampling, random(6))


@pytest.mark.parametrize(
    "wrong",
    [{"crops": -1}, {"least_area": 0.0}, {"stretch": 0.9}, {"kept": 0.0}, {"kept": 1.1}, {"least_area": 2.0}],
)
def test_impossible_samplings_are_refused(wrong) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ViewSampling(**wrong)
