"""A result file being written: never over one that is there, and whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import atomic_file, storage_error

__all__ = ["new_file", "refuse_existing"]


def refuse_existing(path: Path, overwrite: bool) -> None:
    """UsageError (OUT_EXISTS) for a path that is taken, unless it may be replaced."""
    if path.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{path} is already there; give another output or --overwrite")


@contextmanager
def new_file(path: Path, overwrite: bool, mode: str = "w") -> Iterator[IO[Any]]:
    """A stream into a new file, in folders made as needed; UsageError (OUT_EXISTS, OUT_UNWRITABLE) if it cannot be."""
    refuse_existing(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path.parent) from error
    with atomic_file(path, mode) as stream:
        yield stream
