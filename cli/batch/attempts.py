"""Which image a worker died of: a note beside a part in the making, for the worker that takes its place.

A first attempt leaves no trace of single images. After a death the images go one at a time, each noted before it is
touched, so that the next death has a name; that image fails and the others go on. Deaths count within one run of the
command only: who stops the whole run accuses no image.
"""

import json
from contextlib import suppress
from pathlib import Path

from googlenet_rcnn.core.errors import ResourceError
from googlenet_rcnn.core.store import write_json

__all__ = ["Attempt"]

_MOST_DEATHS = 3
"""Deaths without an image to blame after which the part is given up."""


class Attempt:
    """One try at a part: which inputs are known to kill, and whether to go carefully, one image at a time.

    ResourceError (WORKER_DIED) once workers have died too often with no image to blame.
    """

    def __init__(self, folder: Path, part: int, run: str) -> None:
        self._path = folder / f".part-{part:07d}.attempt"
        self._run = run
        self._deaths = 0
        self.deadly: list[int] = []
        with suppress(OSError, ValueError, KeyError, TypeError):
            left = json.loads(self._path.read_text())
            if left["run"] == run:
                self.deadly = left["deadly"]
                if left["at"] is None:
                    self._deaths = left["deaths"] + 1
                else:
                    self.deadly.append(left["at"])
                    self._deaths = 1
        if self._deaths > _MOST_DEATHS:
            reason = f"the worker died {self._deaths} times over part {part}, at no image in particular"
            raise ResourceError("WORKER_DIED", f"{reason}: is there memory enough? try fewer --workers")
        self.touch(None)

    @property
    def careful(self) -> bool:
        """Whether an earlier try of this run has ended in a death."""
        return self._deaths > 0

    def touch(self, number: int | None) -> None:
        """Notes which image is being worked on, if any; worth its time in a careful try only."""
        note = {"run": self._run, "deaths": self._deaths, "deadly": self.deadly, "at": number}
        write_json(self._path, note)

    def __enter__(self) -> "Attempt":
        return self

    def __exit__(self, *_: object) -> None:
        # Whether done or raised: this worker lives, so there is nothing to remember.
        self._path.unlink(missing_ok=True)
