"""Pictures that are in two splits, to the byte or to the eye."""

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.samples import content_digest
from googlenet_rcnn.core.types import Dataset, Image, Sample
from googlenet_rcnn.datasets.findings import Finding

__all__ = ["split_leaks"]

_SIDE = 16
_FLATTEST = 4.0  # grey levels of spread below which a picture has nothing to be recognised by
_NEAR = 12  # of 256 bits; unrelated photographs differ in about 128
_BLOCK = 256


def split_leaks(a: Dataset, b: Dataset) -> list[Finding]:
    """Pairs of one picture in `a` and in `b`, in the order of `b`: equal files, or files that look alike.

    Pictures look alike when scaled or compressed anew, not when cropped or mirrored. Images that cannot be
    read are passed over.
    """
    files = {digest: sample for sample in a.samples if (digest := content_digest(sample))}
    seen, bits = _bits(a)
    findings = []
    others, other_bits = _bits(b)
    nearest = {id(sample): index for sample, index in zip(others, _nearest(other_bits, bits).tolist(), strict=True)}
    for sample in b.samples:
        index = nearest.get(id(sample), -1)
        match, how = files.get(content_digest(sample)), "is the same file as"
        if match is None and index >= 0:
            match, how = seen[index], "looks the same as"
        if match is not None:
            message = f"{how} {match.path}; keep it in one split"
            findings.append(Finding("SPLIT_LEAK", str(sample.path), "", message, "error"))
    return findings


def _bits(dataset: Dataset) -> tuple[list[Sample], NDArray[np.uint64]]:
    """Samples that can be recognised, with 256 bits [N,4] each: where brightness rises from left to right."""
    seen, rows = [], []
    for sample in dataset.samples:
        try:
            bits = _picture_bits(read_image(sample.path).pixels)
        except ImageError:
            continue
        if bits is not None:
            seen.append(sample)
            rows.append(bits)
    return seen, np.array(rows, dtype=np.uint64).reshape(-1, _SIDE * _SIDE // 64)


def _picture_bits(pixels: Image) -> NDArray[np.uint64] | None:
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    if small.std() < _FLATTEST:
        return None
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint64)


def _nearest(b: NDArray[np.uint64], a: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each row of b [M,4] the first nearest row of a [N,4], or -1 where none is near."""
    found = np.full(len(b), -1, dtype=np.int64)
    for start in range(0, len(b) if len(a) else 0, _BLOCK):
        block = b[start : start + _BLOCK]
        distance = np.zeros((len(block), len(a)), dtype=np.int64)
        for word in range(b.shape[1]):
            distance += np.bitwise_count(block[:, word, None] ^ a[None, :, word])
        best = distance.argmin(axis=1)
        near = distance[np.arange(len(block)), best] <= _NEAR
        found[start : start + _BLOCK][near] = best[near]
    return found
