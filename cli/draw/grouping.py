"""Pictures of Selective Search at work: the segmentation it starts from, and how its regions grow."""

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.selective_search import Grouping

from .band import Caption, with_captions

__all__ = ["draw_grouping", "draw_segmentation", "stage_counts", "stage_labels"]

_STAGES, _FEWEST = 6, 4
_MOST = 0.7
_SIDE, _GAP, _LETTERS = 420, 14, 24
_DARK, _BRIGHT = np.array((0, 0, 0)), np.array((255, 255, 255))


def stage_counts(grouping: Grouping) -> list[int]:
    """Numbers of regions worth showing, falling evenly in proportion from all to a few.

    The last is one before a single region takes most of the picture, so that there is something to see.
    """
    sizes = list(grouping.regions.sizes)
    initial = len(sizes)
    for a, b in grouping.merges.pairs:
        if sizes[a] + sizes[b] > _MOST * grouping.labels.size:
            break
        sizes.append(sizes[a] + sizes[b])
    left = 2 * initial - len(sizes)
    last = max(initial - len(grouping.merges.pairs), min(left, initial // 8), min(_FEWEST, initial))
    return sorted({round(float(step)) for step in np.geomspace(initial, last, _STAGES)}, reverse=True)


def stage_labels(grouping: Grouping, count: int) -> NDArray[np.int32]:
    """Labels [H,W] from 0 after as many merges as leave `count` regions."""
    initial = len(grouping.regions.sizes)
    merges = initial - count
    parent = np.arange(initial + merges)
    for merge, pair in enumerate(grouping.merges.pairs[:merges]):
        parent[pair] = initial + merge
    for region in reversed(range(len(parent))):  # a parent has the higher number, so it is settled already
        parent[region] = parent[parent[region]]
    _, numbers = np.unique(parent[:initial], return_inverse=True)
    return numbers.astype(np.int32)[grouping.labels]


def draw_segmentation(image: Image, grouping: Grouping) -> NDArray[np.uint8]:
    """The regions that grouping starts from, each in its mean colour, at twice the working size."""
    height, width = grouping.labels.shape
    picture = _painted(image, grouping.labels, (2 * width, 2 * height))
    caption = f"{_regions(len(grouping.regions.sizes))}: {grouping.colour}, k = {grouping.k:g}"
    return with_captions(picture, [Caption(caption)], max(16, max(picture.shape[:2]) // 45))


def draw_grouping(image: Image, grouping: Grouping) -> NDArray[np.uint8]:
    """A strip of stages from all initial regions to a few, each region in its mean colour."""
    height, width = grouping.labels.shape
    factor = _SIDE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    panels = []
    for count in stage_counts(grouping):
        picture = _painted(image, stage_labels(grouping, count), size)
        panels.append(with_captions(picture, [Caption(_regions(count))], _LETTERS))
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, dtype=np.uint8)
    spaced = [part for panel in panels for part in (gap, panel)]
    return np.concatenate([*spaced, gap], axis=1)


def _regions(count: int) -> str:
    return f"{count:,} region{'' if count == 1 else 's'}"


def _painted(image: Image, labels: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Each region of labels [H,W] in its mean colour in the image, scaled to (width, height), with borders."""
    working = np.asarray(cv2.resize(image, labels.shape[::-1], interpolation=cv2.INTER_AREA))
    flat = labels.ravel()
    pixels = np.bincount(flat)
    sums = np.stack([np.bincount(flat, weights=working[..., channel].ravel()) for channel in range(3)], axis=1)
    colours = (sums / pixels[:, None]).round().astype(np.uint8)
    scaled = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST))
    picture: NDArray[np.uint8] = colours[scaled]
    border = np.zeros(scaled.shape, dtype=bool)
    border[:, 1:] |= scaled[:, 1:] != scaled[:, :-1]
    border[1:] |= scaled[1:] != scaled[:-1]
    # A border is dark on bright regions and bright on dark ones.
    bright = picture.astype(np.float32) @ np.array((0.299, 0.587, 0.114), dtype=np.float32) > 110
    for where, ink in ((border & bright, _DARK), (border & ~bright, _BRIGHT)):
        picture[where] = (0.35 * picture[where] + 0.65 * ink).astype(np.uint8)
    return picture
