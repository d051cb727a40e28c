"""The growing output of a command over many images: continued after an interruption, whole once it has its name."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import JsonLines, lock, read_json_lines, storage_error, write_json

__all__ = ["Ledger", "refuse_finished"]


def refuse_finished(path: Path, flag: str = "--out") -> None:
    """UsageError (OUT_EXISTS) if an output is finished; what a kill at the very end has left beside it is removed."""
    if not path.is_file():
        return
    part, settings, held = _part(path), _settings(path), path.with_name(f"{path.name}.lock")
    if any(left.exists() for left in (part, settings, held)):
        with lock(held), suppress(OSError):
            # A part that is younger than the output is that of a run which was told to replace it.
            if not part.exists() or part.stat().st_mtime_ns <= path.stat().st_mtime_ns:
                part.unlink(missing_ok=True)
                settings.unlink(missing_ok=True)
    raise UsageError("OUT_EXISTS", f"{path} is finished already: choose another {flag} or say --overwrite")


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _settings(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.settings.json")


class Ledger:
    """Rows in a JSON-lines file that is called `<name>.part` until `finish` gives it its name.

    A part left by a run with equal settings is continued, one left by other settings is refused, and so is
    a finished file, unless `overwrite`.
    """

    def __init__(self, path: Path, settings: dict[str, Any], overwrite: bool) -> None:
        self.path = path
        self.part, self._settings = _part(path), _settings(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, path.parent) from error
        if path.is_dir():
            raise UsageError("OUT_IS_FOLDER", f"--out {path} is a folder: name a file in it")
        if not overwrite:
            refuse_finished(path)
        mark = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
        with ExitStack() as resources:
            resources.enter_context(lock(path.with_name(path.name + ".lock")))
            self.continued = self._prepare(mark, overwrite)
            """Whether an earlier run has begun this output."""
            resources.callback(self._drop_empty)
            self._writing = resources.enter_context(ExitStack())
            self._lines = self._writing.enter_context(JsonLines(self.part))
            self.rows = sum(1 for _ in read_json_lines(self.part))
            """Rows that an earlier run has left."""
            self._resources = resources.pop_all()

    def _prepare(self, mark: str, overwrite: bool) -> bool:
        known = None
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(self._settings.read_text())["settings"]
        begun = self.part.exists()
        if begun and known != mark:
            if not overwrite:
                message = f"{self.part} was begun with other settings or images: repeat those, or say --overwrite"
                raise UsageError("OUT_DIFFERS", message)
            self.part.unlink()
            begun = False
        write_json(self._settings, {"settings": mark})
        return begun

    def append(self, row: dict[str, Any]) -> None:
        """Adds the row of the next image."""
        self._lines.append(row)

    def read(self) -> Iterator[dict[str, Any]]:
        """All rows so far, those of the earlier run included."""
        return read_json_lines(self.part)

    def finish(self) -> None:
        """Gives the file its name; nothing else of the run stays behind."""
        self._writing.close()
        try:
            os.replace(self.part, self.path)
        except OSError as error:
            raise storage_error(error, self.path) from error
        with suppress(FileNotFoundError):
            self._settings.unlink()

    def drop(self) -> None:
        """Forgets the rows, once what was made from them has the name."""
        self._writing.close()
        self.part.unlink()
        with suppress(FileNotFoundError):
            self._settings.unlink()

    def _drop_empty(self) -> None:
        """A run that ends without a single row leaves nothing."""
        if self.part.exists() and not self.part.stat().st_size:
            self.part.unlink()
            self._settings.unlink(missing_ok=True)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()
