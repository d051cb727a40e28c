"""Where processes that train together wait for one another, however long that takes, but not for the dead.

Each says every other second that it lives, in the store in which they met. Whoever waits looks there, so a process
that is killed, frozen or cut off is missed within seconds, while one that has more to do is not.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread
from typing import Protocol

from googlenet_rcnn.core.errors import ResourceError

__all__ = ["PATIENCE", "Heartbeats", "Store", "lost_if_silent"]

PATIENCE = timedelta(seconds=20)  # torchrun takes up to 30 s more to end those that do not end by themselves
_BEAT = 2.0  # seconds
_LOOK = 0.02


class Store(Protocol):
    """What is asked of a store of torch.distributed, of which it does not export the type."""

    def add(self, key: str, amount: int, /) -> int:
        """Adds to a number and gives it."""

    def set(self, key: str, value: str, /) -> None:
        """Keeps a value."""

    def check(self, keys: list[str], /) -> bool:
        """Whether all keys are there."""

    def clone(self) -> "Store":
        """The same store by a connection of its own."""


class Heartbeats:
    """The beats of `count` processes in a store; this one's begin at once and end with the process."""

    def __init__(self, store: Store, rank: int, count: int, patience: float | None = None) -> None:
        self._store, self._rank, self._count = store, rank, count
        self._patience = PATIENCE.total_seconds() if patience is None else patience
        self._meetings = 0
        store.add(f"beat/{rank}", 1)
        Thread(target=self._beat, args=(store.clone(),), daemon=True).start()

    def _beat(self, store: Store) -> None:
        with suppress(RuntimeError):  # the store has gone, and with it whoever would have listened
            while True:
                time.sleep(_BEAT)
                store.add(f"beat/{self._rank}", 1)

    def wait(self) -> None:
        """Returns once every process is here; ResourceError (RANK_LOST) if one is no longer alive."""
        self._meetings += 1
        with lost_if_silent():
            self._store.set(self._place(self._rank), "here")
            heard = {rank: (0, time.monotonic()) for rank in range(self._count)}
            while missing := [rank for rank in heard if not self._store.check([self._place(rank)])]:
                for rank in missing:
                    beat = self._store.add(f"beat/{rank}", 0)
                    if beat != heard[rank][0]:
                        heard[rank] = (beat, time.monotonic())
                    elif time.monotonic() - heard[rank][1] > self._patience:
                        raise _lost(f"process {rank} of {self._count} has died or hangs")
                time.sleep(_LOOK)

    def _place(self, rank: int) -> str:
        return f"meeting/{self._meetings}/{rank}"


@contextmanager
def lost_if_silent() -> Iterator[None]:
    """ResourceError (RANK_LOST) in the place of what PyTorch raises where another process does not answer."""
    try:
        yield
    except RuntimeError as error:  # connection closed, or out of time
        what = re.sub(r"^\[[^]]*\] *", "", next(iter(str(error).splitlines()), ""))[:100]
        raise _lost(f"another process has died or hangs ({what})") from error


def _lost(what: str) -> ResourceError:
    return ResourceError("RANK_LOST", f"{what}: look at its last words; the same command with --resume goes on")
