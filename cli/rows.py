"""Rows of the detections and proposals files: one JSON object for each image, found or failed (schema 1)."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from googlenet_rcnn.core.errors import Exit, ProjectError
from googlenet_rcnn.core.types import Detections, LabelSet, Proposals

from .inputs import ImageFile

__all__ = ["escaped", "exit_status", "failed_row", "found_row", "proposal_row"]


def escaped(path: str) -> str:
    """The path as given; only bytes that are no UTF-8 are escaped, reversibly, as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def exit_status(statuses: Sequence[str]) -> Exit:
    """The exit status of a command over images: all failed, some failed, or none."""
    failed = statuses.count("failed")
    if failed == len(statuses):
        return Exit.DATA
    return Exit.PARTIAL if failed else Exit.OK


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


def proposal_row(
    file: ImageFile, proposals: Proposals, milliseconds: dict[str, float], warnings: tuple[str, ...]
) -> dict[str, Any]:
    """The row of an image that was read, with its proposals best first and the source of each."""
    exact = proposals.boxes.coordinates.astype(np.float64)
    boxes = exact.round(2)
    thin = (boxes[:, :2] >= boxes[:, 2:]).any(axis=1)
    boxes[thin] = exact[thin]  # a box thinner than the last digit stays a box
    row: dict[str, Any] = {
        "schema": 1,
        "image_id": escaped(file.image_id),
        "path": escaped(file.path),
        "width": proposals.size.width,
        "height": proposals.size.height,
        "status": "ok",
        "boxes": boxes.tolist(),
        "scores": [float(f"{score:.7g}") for score in proposals.scores],
        "sources": [proposals.source_names[source] for source in proposals.sources],
        "ms": {stage: round(value, 2) for stage, value in milliseconds.items()},
    }
    if warnings:
        row["warnings"] = list(warnings)
    return row


def failed_row(file: ImageFile, error: ProjectError, empty: tuple[str, ...] = ("detections",)) -> dict[str, Any]:
    """The row of an image that could not be read; the fields that hold what was found are there, `empty`."""
    return {
        "schema": 1,
        "image_id": escaped(file.image_id),
        "path": escaped(file.path),
        "status": "failed",
        "code": error.code,
        "message": error.message,
        **{name: [] for name in empty},
    }
