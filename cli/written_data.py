"""The folder that `convert` and `check --fix` write: refused before any work if it cannot take a data set."""

import os
from pathlib import Path

from googlenet_rcnn.core.errors import UsageError

__all__ = ["check_target"]


def check_target(folder: Path, data: Path, placing: str) -> None:
    """UsageError if the folder is, holds or lies inside the data, cannot be written, or `placing` is unknown."""
    from googlenet_rcnn.datasets.layout_writer import PLACINGS

    if placing not in PLACINGS:
        raise UsageError("FLAG_VALUE", f"--images: known are {', '.join(PLACINGS)}")
    place, above = folder.resolve(), data.resolve()
    if place.is_relative_to(above if above.is_dir() else above.parent) or above.is_relative_to(place):
        raise UsageError("OUT_IN_DATA", f"{folder} is the data or lies in it: choose a folder beside {data}")
    existing = next(path for path in (place, *place.parents) if os.path.lexists(path))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        reason = "is not a folder" if not existing.is_dir() else "may not be written"
        raise UsageError("OUT_UNWRITABLE", f"cannot write {folder}: {existing} {reason}; choose another")
