"""Pictures that are in two splits, to the byte or to the eye."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.picture import SIDE, Picture, look_at

__all__ = ["leaks_between", "split_leaks"]

_NEAR = 12  # of 256 bits; unrelated photographs differ in about 128
_BLOCK = 256

Seen = tuple[Path, Picture]


def split_leaks(a: Dataset, b: Dataset) -> list[Finding]:
    """As `leaks_between`, for splits whose pictures were not looked at yet."""
    return leaks_between(*([(sample.path, look_at(sample.path)) for sample in side.samples] for side in (a, b)))


def leaks_between(a: Sequence[Seen], b: Sequence[Seen]) -> list[Finding]:
    """Pairs of one picture in `a` and in `b`, in the order of `b`: equal files (errors), or alike to the eye (info).

    Pictures look alike when scaled or compressed anew, not when cropped or mirrored. Images that cannot be
    read are passed over, unless their files are equal.
    """
    paths = {path for path, _ in a}
    files = {picture.digest: path for path, picture in a if picture.digest}
    rows, bits = _recognisable(a)
    others, other_bits = _recognisable(b)
    nearest = {
        row: rows[index] for row, index in zip(others, _nearest(other_bits, bits).tolist(), strict=True) if index >= 0
    }
    findings = []
    for row, (path, picture) in enumerate(b):
        if path in paths:
            findings.append(_leak(path, "is in both splits; keep it in one"))
        elif picture.digest in files:
            findings.append(_leak(path, f"is the same file as {files[picture.digest]}; keep it in one split"))
        elif row in nearest:
            message = f"looks the same as {a[nearest[row]][0]}; keep it in one split"
            findings.append(replace(_leak(path, message), level="info"))
    return findings


def _leak(path: Path, message: str) -> Finding:
    return Finding("SPLIT_LEAK", str(path), "", message, "error")


def _recognisable(pictures: Sequence[Seen]) -> tuple[list[int], NDArray[np.uint64]]:
    """Rows of the pictures that have bits, and these [N,4]."""
    found = [(row, picture.bits) for row, (_, picture) in enumerate(pictures) if picture.bits is not None]
    bits = np.array([bits for _, bits in found], dtype=np.uint64).reshape(-1, SIDE * SIDE // 64)
    return [row for row, _ in found], bits


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
