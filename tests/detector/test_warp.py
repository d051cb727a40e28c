"""The warp against a second implementation written from R-CNN's rcnn_im_crop, a pixel and a box at a time."""

import math
import threading

import cv2
import numpy as np
import pytest
from hostile import photo
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector import warp as warping
from googlenet_rcnn.detector.warp import Placement, Warp

# Computed by the original's arithmetic: 1-based inclusive box -> clipped source, size, left, top.
ANCHORS = [
    ((101, 51, 200, 150), (93, 43, 209, 159), (224, 224), (0, 0)),
    ((1, 1, 100, 50), (1, 1, 109, 55), (209, 209), (15, 15)),
    ((401, 301, 500, 375), (393, 295, 500, 375), (207, 206), (0, 0)),
    ((1, 1, 500, 375), (1, 1, 500, 375), (191, 192), (16, 16)),
    ((250, 10, 259, 209), (249, 1, 261, 227), (224, 216), (0, 8)),
]


def half_open(box: tuple[int, ...]) -> tuple[int, int, int, int]:
    return box[0] - 1, box[1] - 1, box[2], box[3]


@pytest.mark.parametrize(("box", "source", "resized", "corner"), ANCHORS)
def test_published_anchors(box, source, resized, corner) -> None:
    boxes = Boxes(np.array([half_open(box)]), Size(375, 500))
    assert Warp(224, 16).placements(boxes) == [Placement(half_open(source), *resized, *corner)]


def nearest(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def along_one_axis(first: int, last: int, length: int, side: int, context: int) -> tuple[int, int, int, int]:
    """Source from and to (1-based inclusive), resized length and offset, as the original computes them."""
    half = (last - first + 1) / 2
    centre = first + half
    scale = side / (side - 2 * context)
    begin, end = nearest(centre - half * scale), nearest(centre + half * scale)
    whole = end - begin + 1
    outside = max(0, 1 - begin)
    begin, end = max(1, begin), min(length, end)
    offset = nearest(outside * (side / whole))
    return begin, end, max(1, min(nearest((end - begin + 1) * (side / whole)), side - offset)), offset


def resized(part: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between pixel centres, edges repeated, no antialiasing."""
    value = part.astype(np.float64)
    for axis, length in ((0, height), (1, width)):
        old = value.shape[axis]
        at = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        weight = (at - low).reshape([-1 if a == axis else 1 for a in range(3)])
        value = value.take(low, axis) * (1 - weight) + value.take(high, axis) * weight
    return value


def slow_crop(image: np.ndarray, box: tuple[int, ...], warp: Warp) -> tuple[np.ndarray, np.ndarray]:
    """The crop, not rounded, and where it is fill."""
    height, width = image.shape[:2]
    x1, x2, new_width, left = along_one_axis(box[0] + 1, box[2], width, warp.side, warp.context)
    y1, y2, new_height, top = along_one_axis(box[1] + 1, box[3], height, warp.side, warp.context)
    crop = np.tile(np.array(warp.fill, dtype=np.float64), (warp.side, warp.side, 1))
    inside = (slice(top, top + new_height), slice(left, left + new_width))
    crop[inside] = resized(image[y1 - 1 : y2, x1 - 1 : x2], new_height, new_width)
    filled = np.ones((warp.side, warp.side), dtype=bool)
    filled[inside] = False
    return crop, filled


@st.composite
def scenes(draw):
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    x1, y1 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    x2, y2 = draw(st.integers(x1 + 1, width)), draw(st.integers(y1 + 1, height))
    side, context = draw(st.sampled_from([(32, 4), (31, 0), (24, 11), (17, 3), (224, 16)]))
    return (height, width), (x1, y1, x2, y2), Warp(side, context)


@given(scenes())
@settings(max_examples=150, deadline=None)
def test_equals_the_slow_implementation(scene) -> None:
    size, box, warp = scene
    image = photo(*size)
    image.flags.writeable = False
    crop = warp.crops(image, Boxes(np.array([box]), Size(*size)))[0]
    expected, filled = slow_crop(image, box, warp)
    assert np.abs(crop - expected).max() <= 1  # cv2 works with 11-bit weights
    assert (crop[filled] == warp.fill).all()


@given(scenes())
@settings(max_examples=150, deadline=None)
def test_never_reads_outside_and_never_writes_outside(scene) -> None:
    size, box, warp = scene
    (place,) = warp.placements(Boxes(np.array([box]), Size(*size)))
    x1, y1, x2, y2 = place.source
    assert 0 <= x1 < x2 <= size[1]
    assert 0 <= y1 < y2 <= size[0]
    assert (x1, y1) <= (box[0], box[1])
    assert (x2, y2) >= (box[2], box[3])
    assert 0 <= place.left < place.left + place.width <= warp.side
    assert 0 <= place.top < place.top + place.height <= warp.side


@given(scenes())
@settings(max_examples=60, deadline=None)
def test_transposing_commutes_with_warping(scene) -> None:
    size, (x1, y1, x2, y2), warp = scene
    image = photo(*size)
    crop = warp.crops(image, Boxes(np.array([[x1, y1, x2, y2]]), Size(*size)))[0]
    turned = warp.crops(
        np.ascontiguousarray(image.transpose(1, 0, 2)), Boxes(np.array([[y1, x1, y2, x2]]), Size(*size[::-1]))
    )[0]
    assert np.abs(crop.astype(int) - turned.transpose(1, 0, 2)).max() <= 1


@pytest.mark.parametrize("box", [(40, 50, 71, 90), (30, 41, 131, 80), (60, 60, 72, 72)])
def test_a_mirrored_box_reads_the_mirrored_pixels_one_further(box) -> None:
    """R-CNN's source is a pixel longer on the right than on the left, so mirroring shifts it by one."""
    width, warp = 200, Warp(224, 16)
    x1, y1, x2, y2 = box
    boxes = np.array([box, (width - x2, y1, width - x1, y2)])
    straight, mirrored = warp.placements(Boxes(boxes, Size(150, width)))
    assert mirrored.source[0::2] == (width - straight.source[2] + 1, width - straight.source[0] + 1)
    assert mirrored.source[1::2] == straight.source[1::2]
    assert (mirrored.width, mirrored.height) == (straight.width, straight.height)


def test_without_context_a_box_of_side_less_one_is_copied() -> None:
    """The source is one pixel longer than the box, so 31 pixels of box fill a crop of 32 exactly."""
    image = photo(60, 80)
    crop = Warp(32, 0).crops(image, Boxes(np.array([[10, 5, 41, 36]]), Size(60, 80)))[0]
    assert np.array_equal(crop, image[5:37, 10:42])


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_tiny_images_and_boxes(size) -> None:
    image = np.full((*size, 3), 9, dtype=np.uint8)
    height, width = size
    boxes = np.array(
        [(0, 0, width, height), (0, 0, 1, 1), (width - 1, height - 1, width, height), (0.2, 0.1, 0.7, 0.9)]
    )
    crops = Warp().crops(image, Boxes(boxes, Size(*size)))
    is_image, is_fill = (crops == 9).all(axis=3), (crops == (123, 117, 104)).all(axis=3)
    assert (is_image | is_fill).all()
    assert is_image.any(axis=(1, 2)).all()
    assert is_image[:, 100, 100].all()


def test_fractional_boxes_cover_every_pixel_they_touch() -> None:
    size = Size(100, 100)
    inner = Warp().placements(Boxes(np.array([[10.5, 20.25, 30.5, 60.75], [10, 20, 31, 61]]), size))
    assert inner[0] == inner[1]


def test_no_boxes_give_no_crops() -> None:
    assert Warp(32, 4).crops(photo(), Boxes.empty(Size(60, 80))).shape == (0, 32, 32, 3)


def test_boxes_of_another_image_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Warp().crops(photo(60, 80), Boxes(np.array([[0, 0, 100, 50]]), Size(60, 100)))


@pytest.mark.parametrize(("side", "context"), [(32, 16), (32, 20), (32, -1), (0, 0)])
def test_impossible_settings_are_refused(side, context) -> None:
    with pytest.raises(ValueError, match="context"):
        Warp(side, context)


def plain_crops(image: np.ndarray, boxes: Boxes, warp: Warp) -> np.ndarray:
    """One box after the other, as simply as it can be said: fill everywhere, then the resized source."""
    crops = np.empty((len(boxes), warp.side, warp.side, 3), dtype=np.uint8)
    for crop, place in zip(crops, warp.placements(boxes), strict=True):
        crop[:] = warp.fill
        x1, y1, x2, y2 = place.source
        part = np.ascontiguousarray(image[y1:y2, x1:x2])
        resized = cv2.resize(part, (place.width, place.height), interpolation=cv2.INTER_LINEAR)
        crop[place.top : place.top + place.height, place.left : place.left + place.width] = resized
    return crops


@st.composite
def crowds(draw):
    """An image and many boxes, whole numbers or not, a good part of them at its edges."""
    size = Size(draw(st.integers(1, 150)), draw(st.integers(1, 150)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.sampled_from([0, 1, 15, 33, 100]))
    limits = np.array([size.width, size.height])
    ends = np.sort(rng.uniform(-0.3, 1.3, (count, 2, 2)).clip(0, 1) * limits, axis=1)
    if draw(st.booleans()):
        ends = np.rint(ends)
    low = np.minimum(ends[:, 0], limits - 1)
    coordinates = np.concatenate([low, np.maximum(ends[:, 1], low + 0.5)], axis=1)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    warp = Warp(*draw(st.sampled_from([(32, 4), (31, 0), (17, 3), (64, 16), (224, 16)])), fill=(9, 8, 7))
    return image, Boxes(coordinates.astype(np.float32), size), warp


@given(crowds(), st.sampled_from([1, 2, 3, 8]))
@settings(max_examples=60, deadline=None)
def test_many_crops_are_bit_for_bit_those_cut_one_by_one(crowd, threads) -> None:
    image, boxes, warp = crowd
    image.flags.writeable = False
    crops = warp.crops(image, boxes, threads)
    assert crops.tobytes() == plain_crops(image, boxes, warp).tobytes()
    assert crops.flags.c_contiguous


@pytest.mark.parametrize("view", ["turned", "mirrored", "part", "fortran", "swapped"])
def test_images_that_lie_oddly_in_memory_give_the_same_crops(view) -> None:
    image = photo(90, 120)
    image = {
        "turned": np.rot90(image),
        "mirrored": image[:, ::-1],
        "part": image[5:80, 7:-9],
        "fortran": np.asfortranarray(image),
        "swapped": image[:, :, ::-1],
    }[view]
    height, width = image.shape[:2]
    boxes = Boxes(np.array([[0, 0, width, height], [3, 4, 40, 30], [width - 9, 0, width, 5]]), Size(height, width))
    crops = Warp(48, 4).crops(image, boxes)
    assert crops.tobytes() == plain_crops(image, boxes, Warp(48, 4)).tobytes()


def grid(count: int) -> Boxes:
    rows = [(x, y, x + 11, y + 9) for x, y in ((7 * k % 60, 5 * k % 40) for k in range(count))]
    return Boxes(np.array(rows), Size(60, 80))


@pytest.mark.parametrize(
    ("count", "threads", "expected"), [(200, 3, 3), (20, 3, 1), (32, 3, 2), (200, 1, 1), (0, 4, 1)]
)
def test_threads_are_started_where_each_has_enough_to_do(monkeypatch, count, threads, expected) -> None:
    seen = set()

    class Watched(warping.ThreadPoolExecutor):
        def submit(self, function, *arguments):
            seen.add(self._max_workers)
            return super().submit(function, *arguments)

    monkeypatch.setattr(warping, "ThreadPoolExecutor", Watched)
    Warp(32, 4).crops(photo(60, 80), grid(count), threads)
    assert (seen or {1}) == {expected}


def test_no_thread_is_left_and_a_fault_of_one_is_raised(monkeypatch) -> None:
    before = threading.active_count()
    Warp(32, 4).crops(photo(60, 80), grid(100), 4)
    assert threading.active_count() == before

    def fail(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(warping.cv2, "resize", fail)
    with pytest.raises(MemoryError):
        Warp(32, 4).crops(photo(60, 80), grid(100), 4)
    assert threading.active_count() == before
