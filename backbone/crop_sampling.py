"""The crops of an image that a classifier learns from (Szegedy et al. 2014, section 6).

"Sampling of various sized patches of the image whose size is distributed evenly between 8% and 100% of the image area
and whose aspect ratio is chosen randomly between 3/4 and 4/3", the photometric distortions of Howard (arXiv:1312.5402),
and an interpolation drawn anew for each crop.
"""

from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torchvision.transforms import v2

from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.types import Image

__all__ = ["CropSampling", "sample_crop", "sample_window"]

_METHODS = {
    "linear": cv2.INTER_LINEAR,
    "area": cv2.INTER_AREA,
    "nearest": cv2.INTER_NEAREST,
    "cubic": cv2.INTER_CUBIC,
}
_TRIES = 10
# The directions in which the colours of ImageNet vary, and how much (Krizhevsky 2012, section 4.1), RGB of 0..255.
_VARIANCES = np.array([0.2175, 0.0188, 0.0045]) * 255
_DIRECTIONS = np.array(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)  # a column each


class CropSampling(Settings):
    """How crops are drawn and changed."""

    area: tuple[float, float] = (0.08, 1.0)  # share of the image
    aspect: tuple[float, float] = (3 / 4, 4 / 3)  # width to height
    squash: bool = False  # pictures are squashed to a square first, also in use: what `aspect` is about
    mirror: float = Field(default=0.5, ge=0, le=1)
    interpolation: Literal["random", "linear", "area", "nearest", "cubic"] = "random"
    photometric: float = Field(default=0.5, ge=0, lt=1)  # brightness, contrast and colour by up to this share
    lighting: float = Field(default=0.1, ge=0)  # deviation of the noise along the colours' main directions

    @model_validator(mode="after")
    def _ordered(self) -> "CropSampling":
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError("area is two shares of an image in order, above 0 and up to 1")
        if not 0 < self.aspect[0] <= self.aspect[1]:
            raise ValueError("aspect is two ratios above 0 in order")
        return self


def sample_crop(image: Image, side: int, sampling: CropSampling, random: np.random.Generator) -> NDArray[np.uint8]:
    """One crop uint8 [side,side,3] of an image uint8 [H,W,3]; all chance comes from the generator."""
    x, y, width, height = sample_window(image.shape[1], image.shape[0], sampling, random)
    method = sampling.interpolation
    if method == "random":
        method = ("linear", "area", "nearest", "cubic")[random.integers(4)]
    window = image[y : y + height, x : x + width]
    crop = np.asarray(cv2.resize(window, (side, side), interpolation=_METHODS[method]), dtype=np.uint8)
    if random.random() < sampling.mirror:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if sampling.photometric:
        crop = _distorted(crop, sampling.photometric, random)
    if sampling.lighting:
        shift = _DIRECTIONS @ (random.normal(scale=sampling.lighting, size=3) * _VARIANCES)
        crop = np.clip(crop + shift.round(), 0, 255).astype(np.uint8)
    return crop


def sample_window(
    width: int, height: int, sampling: CropSampling, random: np.random.Generator
) -> tuple[int, int, int, int]:
    """Left, top, width and height of a crop in an image; where none fits, the largest central one of an aspect
    that does."""
    narrow, wide = (aspect * (width / height if sampling.squash else 1.0) for aspect in sampling.aspect)
    low, high = np.log(narrow), np.log(wide)
    for _ in range(_TRIES):
        area, aspect = width * height * random.uniform(*sampling.area), np.exp(random.uniform(low, high))
        across, down = round(float(np.sqrt(area * aspect))), round(float(np.sqrt(area / aspect)))
        if 0 < across <= width and 0 < down <= height:
            left, top = random.integers(width - across + 1), random.integers(height - down + 1)
            return int(left), int(top), across, down
    across = min(width, max(1, round(height * wide)))
    down = min(height, max(1, round(width / narrow)))
    return (width - across) // 2, (height - down) // 2, across, down


def _distorted(crop: NDArray[np.uint8], strength: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Brightness, contrast and colour in random order, each by a factor of 1 - strength to 1 + strength (Howard)."""
    torch.manual_seed(int(random.integers(2**63)))  # torchvision draws from torch's own generator
    jitter = v2.ColorJitter(brightness=strength, contrast=strength, saturation=strength)
    pixels = jitter(torch.from_numpy(crop).permute(2, 0, 1))
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
