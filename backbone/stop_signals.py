"""The wish to stop: noted when it comes, obeyed where a run can save its state."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopSignals"]


class StopSignals:
    """Notes SIGINT and SIGTERM; the second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    @contextmanager
    def listening(self) -> Iterator["StopSignals"]:
        """Takes the place of the handlers that were there, as long as it is open."""
        signals = (signal.SIGINT, signal.SIGTERM)
        try:
            before = [signal.signal(number, self._note) for number in signals]
        except ValueError:  # not the main thread: its owner handles signals
            yield self
            return
        try:
            yield self
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, handler)
