"""The folder of a report: refused before any work if it cannot take one, filled at the end."""

import os
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import atomic_file, storage_error, write_json

__all__ = ["check_report_folder", "write_report"]


def check_report_folder(folder: Path, data: Path, overwrite: bool) -> None:
    """UsageError if the folder holds a report already, cannot be written, or lies among the data."""
    taken = [name for name in ("metrics.json", "report.html") if (folder / name).exists()]
    if taken and not overwrite:
        raise UsageError("OUT_EXISTS", f"{folder} holds a report: choose another --report or say --overwrite")
    place, above = folder.resolve(), data.resolve()
    if place.is_relative_to(above) and above != Path.cwd():
        raise UsageError("OUT_IN_DATA", f"{folder} lies inside the data {data}: choose another --report")
    existing = next(path for path in (place, *place.parents) if os.path.lexists(path))
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        reason = "is not a folder" if not existing.is_dir() else "may not be written"
        raise UsageError("OUT_UNWRITABLE", f"cannot write {folder}: {existing} {reason}; choose another --report")


def write_report(folder: Path, content: dict[str, Any], page: str) -> None:
    """Writes the page, and the figures last: a report counts as there once they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    with atomic_file(folder / "report.html", "w") as stream:
        stream.write(page)
    write_json(folder / "metrics.json", content)
