"""How MultiBox sees images in training: whole, mirrored, and in crops that make objects larger or smaller."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import GroundTruth, Image, Size

__all__ = ["View", "ViewSampling", "sample_views", "view_objects", "view_pixels", "whole_view"]


class ViewSampling(Settings):
    """The views of one image beside the whole and its mirror image."""

    crops: int = Field(default=6, ge=0)
    least_area: float = Field(default=0.35, gt=0)  # of a crop, in areas of the image
    greatest_area: float = Field(default=1.8, gt=0)  # over 1: the surroundings are filled with the mean colour
    stretch: float = Field(default=4 / 3, ge=1)  # most a crop's aspect differs from the image's
    kept: float = Field(default=0.4, gt=0, le=1)  # least share of an object's area that still is the object

    @model_validator(mode="after")
    def _ordered(self) -> "ViewSampling":
        if self.least_area > self.greatest_area:
            raise ValueError("least_area must not exceed greatest_area")
        return self


class View(NamedTuple):
    """A window of an image in whole pixels, half-open, possibly beyond its borders, and whether it is mirrored."""

    x1: int
    y1: int
    x2: int
    y2: int
    mirrored: bool


def whole_view(size: Size, mirrored: bool = False) -> View:
    """All of an image, as MultiBox sees it in use."""
    return View(0, 0, size.width, size.height, mirrored)


def sample_views(size: Size, sampling: ViewSampling, random: np.random.Generator) -> list[View]:
    """The whole image, its mirror image, and crops: areas and aspects are drawn evenly on a logarithmic scale.

    A crop larger than the image along a side holds all of that side; a smaller one lies within it.
    """
    views = [whole_view(size), whole_view(size, mirrored=True)]
    for _ in range(sampling.crops):
        area = np.exp(random.uniform(np.log(sampling.least_area), np.log(sampling.greatest_area)))
        aspect = np.exp(random.uniform(-np.log(sampling.stretch), np.log(sampling.stretch)))
        sides = []
        for full, share in ((size.width, np.sqrt(area * aspect)), (size.height, np.sqrt(area / aspect))):
            side = max(1, round(full * share))
            low, high = sorted((0, full - side))
            start = int(random.integers(low, high + 1))
            sides.append((start, start + side))
        (x1, x2), (y1, y2) = sides
        views.append(View(x1, y1, x2, y2, bool(random.random() < 0.5)))
    return views


def view_pixels(image: Image, view: View, side: int, fill: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The view squashed to a square [side,side,3]; what lies outside the image has the colour `fill`."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = max(view.x1, 0), max(view.y1, 0), min(view.x2, width), min(view.y2, height)
    factor_x, factor_y = side / (view.x2 - view.x1), side / (view.y2 - view.y1)
    left, right = round((x1 - view.x1) * factor_x), round((x2 - view.x1) * factor_x)
    top, bottom = round((y1 - view.y1) * factor_y), round((y2 - view.y1) * factor_y)
    pixels = np.empty((side, side, 3), np.uint8)
    pixels[:] = fill
    if right > left and bottom > top:
        shrinks = factor_x * factor_y < 1
        pixels[top:bottom, left:right] = cv2.resize(
            image[y1:y2, x1:x2],
            (right - left, bottom - top),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
    return pixels[:, ::-1] if view.mirrored else pixels


def view_objects(truth: GroundTruth, view: View, kept: float) -> NDArray[np.float32]:
    """Boxes [M,4] of the objects in a view, in shares of its sides; those not to be ignored and still whole enough."""
    boxes = truth.boxes.coordinates[~truth.ignore].astype(np.float64)
    size = np.array([view.x2 - view.x1, view.y2 - view.y1])
    shares = (boxes - [view.x1, view.y1, view.x1, view.y1]) / np.tile(size, 2)
    inside = np.clip(shares, 0, 1)
    area, seen = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (shares, inside))
    inside = inside[seen >= kept * area]
    if view.mirrored:
        inside = np.stack([1 - inside[:, 2], inside[:, 1], 1 - inside[:, 0], inside[:, 3]], axis=1)
    return np.asarray(inside, dtype=np.float32)
