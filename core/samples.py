"""Annotated images for training: their truth, their pixels, their source of randomness and what they depend on."""

import hashlib

import numpy as np

from .errors import DataError
from .images import read_image
from .store import digest
from .types import GroundTruth, Image, Sample

__all__ = ["content_digest", "sample_pixels", "sample_random", "sample_truth"]


def sample_truth(sample: Sample) -> GroundTruth:
    """The annotation of a sample; DataError (ANN_MISSING) if it has none."""
    if sample.truth is None:
        raise DataError("ANN_MISSING", f"{sample.path} has no annotation: training needs one for each image")
    return sample.truth


def sample_pixels(sample: Sample) -> Image:
    """The image [H,W,3]; DataError (SIZE_MISMATCH) if it is not as large as its annotation says."""
    pixels, declared = read_image(sample.path).pixels, sample_truth(sample).size
    if pixels.shape[:2] != declared:
        height, width = pixels.shape[:2]
        raise DataError(
            "SIZE_MISMATCH",
            f"{sample.path} is {width}x{height}, its annotation says {declared.width}x{declared.height}: "
            "write the true size and boxes of the image as displayed",
        )
    return pixels


def sample_random(sample: Sample, seed: int) -> np.random.Generator:
    """A generator of the sample's own: it depends on the seed and the image's id alone."""
    name = int.from_bytes(hashlib.sha256(sample.image_id.encode()).digest()[:8], "little")
    return np.random.default_rng([seed, name])


def content_digest(sample: Sample) -> str:
    """SHA-256 of the image file; empty if it cannot be read, as whoever decodes it will say what is wrong."""
    try:
        return digest(sample.path)
    except OSError:
        return ""
