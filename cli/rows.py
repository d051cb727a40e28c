"""Rows of the canonical detections file: one JSON object for each image, found or failed (schema 1)."""

import os
from typing import Any

from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.types import Detections, LabelSet

from .inputs import ImageFile

__all__ = ["escaped", "failed_row", "found_row"]


def escaped(path: str) -> str:
    """The path as given; only bytes that are no UTF-8 are escaped, reversibly, as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def found_row(
    file: ImageFile,
    found: Detections,
    labels: LabelSet,
    proposals: int,
    milliseconds: dict[str, float],
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """The row of an image that was read, with its detections best first."""
    row: dict[str, Any] = {
        "schema": 1,
        "image_id": escaped(file.image_id),
        "path": escaped(file.path),
        "width": found.size.width,
        "height": found.size.height,
        "status": "ok",
        "detections": [
            {
                "label": labels.names[label],
                "score": float(f"{score:.7g}"),  # as many digits as float32 has: no ties by rounding
                "box": [round(float(value), 2) for value in box],
            }
            for box, label, score in zip(found.boxes.coordinates, found.labels, found.scores, strict=True)
        ],
        "proposals": proposals,
        "ms": {stage: round(value, 2) for stage, value in milliseconds.items()},
    }
    if warnings:
        row["warnings"] = list(warnings)
    return row


def failed_row(file: ImageFile, error: ProjectError) -> dict[str, Any]:
    """The row of an image that could not be read."""
    return {
        "schema": 1,
        "image_id": escaped(file.image_id),
        "path": escaped(file.path),
        "status": "failed",
        "code": error.code,
        "message": error.message,
        "detections": [],
    }
