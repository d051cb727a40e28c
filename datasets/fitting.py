"""Annotated boxes as written become the truth of an image: cut to it, and dropped where nothing is left."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import clip
from googlenet_rcnn.core.types import Boxes, GroundTruth, Size
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings

__all__ = ["fit"]

_SAFE = 0.1  # pixels that rounding to float32 cannot take from a box
_FARTHEST = 1e6  # no image is that wide: such a corner is damage, not an object at the border


def fit(
    corners: Sequence[Sequence[float]] | NDArray[np.float64],
    labels: Sequence[int],
    size: Size,
    file: str,
    place: Callable[[int], str],
    findings: Findings,
    ignore: Sequence[bool] | None = None,
    areas: Sequence[float] | None = None,
) -> GroundTruth:
    """The truth of an image from half-open corners [N,4]; what was changed is added to `findings`.

    `place` names the box of a row. A row with corners beyond a million pixels is refused (ANN_BAD_NUMBER).
    """
    raw = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
    boxes, kept = raw.astype(np.float32), np.ones(len(raw), dtype=np.bool_)
    inside = (raw >= 0).all() and (raw[:, 2:] <= (size.width, size.height)).all()
    if not (inside and (raw[:, 2:] - raw[:, :2] >= _SAFE).all()):  # else as in nearly every image
        boxes, kept = _cut(raw, size, file, place, findings)
    return GroundTruth(
        Boxes(boxes[kept], size),
        np.array(labels, dtype=np.int64)[kept],
        np.array([False] * len(raw) if ignore is None else ignore, dtype=np.bool_)[kept],
        None if areas is None else np.array(areas, dtype=np.float64)[kept],
    )


def _cut(
    raw: NDArray[np.float64], size: Size, file: str, place: Callable[[int], str], findings: Findings
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes [N,4] cut to the image, and which of them [N] have an area there."""
    far = np.asarray(~(np.abs(raw) <= _FARTHEST).all(axis=1))  # true of NaN as well
    for row in np.flatnonzero(far).tolist():
        reason = "lies a million pixels away; write the true corners"
        findings.refuse(AnnotationError("ANN_BAD_NUMBER", file, place(row), reason))
    written = np.where(far[:, None], 0, raw).astype(np.float32)
    boxes = clip(written, *size)
    kept = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    for row in np.flatnonzero(~far & (~kept | (boxes != written).any(axis=1))).tolist():
        image = f"the {size.width}x{size.height} image"
        if kept[row]:
            code, fate = "BOX_OUTSIDE", f"leaves {image} and was clipped"
        else:
            code, fate = "BOX_DEGENERATE", f"has no area inside {image} and was dropped"
        shown = " ".join(f"{value:g}" for value in raw[row].tolist())
        findings.append(Finding(code, file, place(row), f"box {shown} {fate}"))
    return boxes, kept
