"""The crops on which the largest activations of a detector are measured: some training windows of some images."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.samples import sample_pixels
from googlenet_rcnn.core.types import Boxes, Image, Size

from .sampling import Windows
from .warp import Warp
from .windows import ImageWindows, window_crops

__all__ = ["random_crops", "range_crops"]

_IMAGES = 32
_WINDOWS = 8


def range_crops(images: Sequence[ImageWindows], warp: Warp, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Crops uint8 [n,S,S,3] of at most 8 windows of each of at most 32 images, drawn with `seed`."""
    random = np.random.default_rng([seed, 3])
    for place in np.sort(random.permutation(len(images))[:_IMAGES]):
        sample, windows, _ = images[place]
        rows = np.sort(random.permutation(len(windows.boxes))[:_WINDOWS])
        yield window_crops(sample_pixels(sample), Windows(*(values[rows] for values in windows)), warp)


def random_crops(image: Image, warp: Warp, random: np.random.Generator) -> NDArray[np.uint8]:
    """The whole image uint8 [H,W,3] and seven boxes in it, drawn evenly, warped like proposals: [8,S,S,3]."""
    height, width = image.shape[:2]
    corners = random.uniform(size=(_WINDOWS - 1, 2, 2)) * (width, height)
    low, high = np.floor(corners.min(axis=1)), np.ceil(corners.max(axis=1))
    low, high = np.minimum(low, (width - 1, height - 1)), np.maximum(high, low + 1)
    boxes = np.concatenate([[[0, 0, width, height]], np.concatenate([low, high], axis=1)])
    return warp.crops(image, Boxes(boxes.astype(np.float32), Size(height, width)))
