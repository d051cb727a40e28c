"""R-CNN's warp, the only way a box becomes a crop, in training and in use.

Girshick et al. 2014 (arXiv:1311.2524, appendix A) and their rcnn_im_crop: the box is widened so that
after the anisotropic resize `context` pixels of surroundings lie on each side; what falls outside the
image is filled with the mean colour. Two departures, both below half a grey level: crops stay uint8,
and the mean is rounded (the Caffe model's mean 104, 117, 123 is whole already).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Boxes, Image

__all__ = ["Placement", "Warp"]

_SHARE = 16  # crops that take longer than starting a thread for them


def _round(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Half away from zero, as C and MATLAB round; Python rounds halves to even."""
    return (np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int64)


@dataclass(frozen=True)
class Placement:
    """Where one crop comes from (half-open, in the image) and where it goes (in the crop)."""

    source: tuple[int, int, int, int]
    width: int
    height: int
    left: int
    top: int


@dataclass(frozen=True)
class Warp:
    """Crops of `side` x `side` pixels with `context` pixels of surroundings measured in the crop."""

    side: int = 224
    context: int = 16
    fill: tuple[int, int, int] = (123, 117, 104)

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.context < self.side:
            raise ValueError(f"context {self.context} leaves nothing of a crop of {self.side} pixels")

    def placements(self, boxes: Boxes) -> list[Placement]:
        """The arithmetic of rcnn_im_crop for each box, without touching pixels."""
        height, width = boxes.size
        # The reference works on 1-based inclusive pixels: x1 + 1 and x2 of a half-open box.
        corner = np.floor(boxes.coordinates.astype(np.float64))
        x1, y1 = corner[:, 0] + 1, corner[:, 1] + 1
        x2 = np.maximum(np.ceil(boxes.coordinates[:, 2].astype(np.float64)), x1)
        y2 = np.maximum(np.ceil(boxes.coordinates[:, 3].astype(np.float64)), y1)
        scale = self.side / (self.side - 2 * self.context)
        half_width, half_height = (x2 - x1 + 1) / 2, (y2 - y1 + 1) / 2
        centre_x, centre_y = x1 + half_width, y1 + half_height
        left, right = _round(centre_x - half_width * scale), _round(centre_x + half_width * scale)
        top, bottom = _round(centre_y - half_height * scale), _round(centre_y + half_height * scale)
        whole_width, whole_height = right - left + 1, bottom - top + 1
        pad_left, pad_top = np.maximum(0, 1 - left), np.maximum(0, 1 - top)
        left, right = np.maximum(left, 1), np.minimum(right, width)
        top, bottom = np.maximum(top, 1), np.minimum(bottom, height)
        scale_x, scale_y = self.side / whole_width, self.side / whole_height
        crop_left = _round(pad_left * scale_x)
        crop_top = _round(pad_top * scale_y)
        crop_width = np.minimum(_round((right - left + 1) * scale_x), self.side - crop_left)
        crop_height = np.minimum(_round((bottom - top + 1) * scale_y), self.side - crop_top)
        return [
            Placement((int(a), int(b), int(c), int(d)), max(int(w), 1), max(int(h), 1), int(x), int(y))
            for a, b, c, d, w, h, x, y in zip(
                left - 1, top - 1, right, bottom, crop_width, crop_height, crop_left, crop_top, strict=True
            )
        ]

    def crops(self, image: Image, boxes: Boxes, threads: int = 1) -> NDArray[np.uint8]:
        """Crops [N,side,side,3] of the boxes of an image [H,W,3], bilinear without antialiasing.

        Many boxes are shared out among so many threads; each crop is the same whoever cuts it.
        """
        if image.shape[:2] != boxes.size:
            raise ValueError(f"boxes of an image {tuple(boxes.size)} do not fit one {image.shape[:2]}")
        image = np.ascontiguousarray(image)  # else OpenCV would copy for each box
        crops = np.empty((len(boxes), self.side, self.side, 3), dtype=np.uint8)
        places = self.placements(boxes)
        shares = max(1, min(threads, len(boxes) // _SHARE))

        def cut(share: int) -> None:
            for row in range(share, len(places), shares):
                self._cut(image, places[row], crops[row])

        if shares == 1:
            cut(0)
        else:
            with ThreadPoolExecutor(shares) as pool:
                list(pool.map(cut, range(shares)))  # OpenCV computes outside Python's lock
        return crops

    def _cut(self, image: Image, place: Placement, crop: NDArray[np.uint8]) -> None:
        """Writes every pixel of one crop once: the resized source where it belongs, the fill around it."""
        x1, y1, x2, y2 = place.source
        right, bottom = place.left + place.width, place.top + place.height
        target = crop[place.top : bottom, place.left : right]
        cv2.resize(image[y1:y2, x1:x2], (place.width, place.height), dst=target, interpolation=cv2.INTER_LINEAR)
        if (place.width, place.height) == (self.side, self.side):
            return
        fill = np.array(self.fill, dtype=np.uint8)
        crop[: place.top] = crop[bottom:] = fill
        crop[place.top : bottom, : place.left] = crop[place.top : bottom, right:] = fill
