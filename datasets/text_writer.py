"""Small text files of a tree, each whole or absent."""

import os
from contextlib import suppress
from pathlib import Path

from googlenet_rcnn.core.store import storage_error

__all__ = ["write_text"]


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 with `\\n` line ends, making the folders above; UsageError or ResourceError if it cannot.

    The file takes its name once it is complete; unlike `atomic_file` it does not wait for the disk, which
    for thousands of small files would take most of the time.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise storage_error(error, path) from error
