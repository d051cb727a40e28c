"""Going back where a loss stopped being a number: to a state some steps before, at half the rate.

What makes a loss overflow begins some steps earlier, so the state to go back to is 100 to 200 steps old. States are
kept after fixed numbers of steps, not by the clock, so that a run that goes back is a function of its settings and
seed all the same, however often it was stopped.
"""

from pathlib import Path
from typing import Any

from .run_state import RunState, read_state, write_state

__all__ = ["Rollback"]

_SPACING = 100  # steps
_MOST = 3  # times that a run goes back


class Rollback:
    """The states that a run in `folder` may go back to, kept by its `first` process for all of them."""

    def __init__(self, folder: Path, state: RunState, fingerprint: dict[str, Any], first: bool) -> None:
        self._folder, self._state, self._fingerprint, self._first = folder, state, fingerprint, first

    def begin(self) -> None:
        """Keeps the state that the run starts from, if it has none; what is of later steps is not of this run."""
        self._drop(above=self._state.step or -1)
        if not self._kept():
            self.keep()

    def due(self) -> bool:
        """Whether the state of this step is one of those to keep."""
        return self._state.step % _SPACING == 0

    def keep(self) -> None:
        """Keeps the state of this step, and of the earlier ones the latest."""
        if self._first:
            write_state(self._path(self._state.step), self._state, self._fingerprint)
            for step in self._kept()[:-2]:
                self._path(step).unlink()

    def go_back(self) -> bool:
        """Restores a kept state, at half the rate; False if that was done often enough.

        The first process has written what all read, so they must have met in between.
        """
        if self._state.halvings == _MOST:
            return False
        kept, halvings = self._kept(), self._state.halvings + 1
        back = max((step for step in kept if step <= self._state.step - _SPACING), default=min(kept))
        self._state.restore(*read_state(self._path(back)))
        self._state.halvings = halvings
        return True

    def end(self) -> None:
        """Removes the states: nobody goes back in a run that is done."""
        self._drop(above=-1)

    def _drop(self, above: int) -> None:
        for step in self._kept() if self._first else ():
            if step > above:
                self._path(step).unlink()

    def _path(self, step: int) -> Path:
        return self._folder / f"good-{step}.safetensors"

    def _kept(self) -> list[int]:
        return sorted(int(path.stem.removeprefix("good-")) for path in self._folder.glob("good-*.safetensors"))
