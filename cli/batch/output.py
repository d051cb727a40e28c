"""The folder that a batch run fills: its inputs, its manifest, and a Parquet table for each finished part.

Part k covers the images of block k of `inputs.arrow` and exists as a whole or not at all. What is left to do is
therefore the parts that do not exist, whatever stopped the run before; no other state is kept.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import lock, storage_error, write_json

from .inputs import InputList
from .parts import PartSummary, part_path, part_schema, read_summary, settings_mark

__all__ = ["INPUTS", "BatchOutput", "open_output"]

INPUTS = "inputs.arrow"
_MANIFEST = "manifest.json"


class BatchOutput:
    """The output of one run, continued from an earlier one with equal settings; made by `open_output`."""

    def __init__(self, folder: Path, overwrite: bool) -> None:
        self.folder = folder
        self._overwrite = overwrite
        self._known = _read_manifest(folder / _MANIFEST)
        if self._known.get("finished") and not overwrite:
            raise UsageError("OUT_EXISTS", f"{folder} is finished already: choose another --out or say --overwrite")
        strange = [path.name for path in folder.iterdir() if not _ours(path.name)]
        if strange:
            shown = ", ".join(sorted(strange)[:3])
            raise UsageError("OUT_NOT_EMPTY", f"--out {folder} holds other files ({shown}): choose a folder of its own")
        self.sweep()
        self.new_inputs = folder / f".{INPUTS}.new"

    def begin(self, settings: dict[str, Any], inputs: InputList, part_size: int) -> None:
        """Makes the output that of these settings; UsageError (OUT_DIFFERS) if parts of other ones are there.

        The list of images, which `new_inputs` holds by now, is among what must be equal.
        """
        self.part_size, self.images, self.parts = part_size, inputs.images, inputs.blocks
        self.settings = json.loads(json.dumps(settings | {"inputs": inputs.digest, "part_size": part_size}))
        self.mark = settings_mark(self.settings)
        known = self._known.get("settings", {})
        if self._has_parts() and (self._known.get("finished") or known != self.settings):
            if not self._overwrite:
                self.new_inputs.unlink()
                other = sorted(key for key in known.keys() | self.settings if known.get(key) != self.settings.get(key))
                reason = f"was begun with other {', '.join(other)}" if known else "has lost its manifest"
                raise UsageError("OUT_DIFFERS", f"{self.folder} {reason}: repeat those, or say --overwrite")
            self._clear()
        self.new_inputs.replace(self.folder / INPUTS)
        self._write_manifest(finished=False)

    def finished_parts(self) -> dict[int, PartSummary]:
        """What is in each part that is whole; what else bears the name of a part is removed, to be made again."""
        done = {}
        for index in range(self.parts):
            if (path := part_path(self.folder, index)).exists():
                summary = read_summary(self.folder, index, self.mark)
                if summary is not None and summary.images == self.images_of(index):
                    done[index] = summary
                else:
                    path.unlink()
        return done

    def images_of(self, part: int) -> int:
        """How many images a part covers: all parts but the last are equally long."""
        return min(self.part_size, self.images - part * self.part_size)

    def finish(self, summary: PartSummary) -> None:
        """Says in the manifest that every part is there, and what is in them."""
        content = summary._asdict()
        content.pop("images")
        self._write_manifest(finished=True, **content)

    def sweep(self) -> None:
        """Removes what killed processes have left half-done."""
        for left in (*self.folder.glob(".*.tmp"), *self.folder.glob(".*.new"), *self.folder.glob(".part-*.attempt")):
            left.unlink(missing_ok=True)

    def drop_empty(self) -> None:
        """A run that ends without a single part leaves nothing."""
        if not self._has_parts():
            self._clear()

    def _has_parts(self) -> bool:
        return next(self.folder.glob("part-*.parquet"), None) is not None

    def _clear(self) -> None:
        """Removes the manifest first: without it nobody takes the rest for an output."""
        for path in (self.folder / _MANIFEST, *self.folder.glob("part-*.parquet"), self.folder / INPUTS):
            path.unlink(missing_ok=True)

    def _write_manifest(self, finished: bool, **content: Any) -> None:
        from importlib.metadata import version

        columns = {field.name: str(field.type) for field in part_schema()}
        manifest = {"schema": 1, "made_by": f"googlenet-rcnn {version('googlenet-rcnn')}", "finished": finished}
        manifest |= {"images": self.images, "parts": self.parts} | content
        write_json(self.folder / _MANIFEST, manifest | {"settings": self.settings, "columns": columns})


@contextmanager
def open_output(folder: Path, overwrite: bool) -> Iterator[BatchOutput]:
    """The folder as an output that no other process writes to meanwhile, made if it is not there.

    UsageError: OUT_BUSY, OUT_EXISTS for a finished one, OUT_NOT_EMPTY where other files lie, OUT_UNWRITABLE.
    """
    _make_folder(folder.parent)
    with lock(folder.with_name(f"{folder.name}.lock")):
        made = not folder.exists()
        _make_folder(folder)
        output = BatchOutput(folder, overwrite)
        try:
            yield output
        finally:
            output.sweep()
            output.drop_empty()
            if made:
                with suppress(OSError):  # it holds something
                    folder.rmdir()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def _ours(name: str) -> bool:
    return name.startswith((".", "part-")) or name in (INPUTS, _MANIFEST)


def _read_manifest(path: Path) -> dict[str, Any]:
    """What an earlier run has said, nothing if that cannot be read."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text())
        if isinstance(found, dict) and isinstance(found.get("settings"), dict):
            return found
    return {}
