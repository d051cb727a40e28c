"""Progress with the time left: a bar on a terminal, a plain line now and then otherwise, always on stderr."""

import os
import sys
import time

__all__ = ["Progress", "duration"]


def duration(seconds: float) -> str:
    """Seconds as a person writes them: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Progress:
    """Counts finished items of a known total and tells how long the rest will take."""

    def __init__(self, total: int, what: str, quiet: bool = False, every: float = 15.0) -> None:
        self.total, self.what, self.quiet, self.every = total, what, quiet, every
        self.began = time.monotonic()
        self.shown = self.began
        self.terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, line: str) -> None:
        """Writes a line of its own, never on top of the bar."""
        sys.stderr.write(("\r\x1b[2K" if self.terminal and not self.quiet else "") + line + "\n")
        sys.stderr.flush()

    def update(self, done: int, note: str = "") -> None:
        """Shows that `done` items are finished."""
        now = time.monotonic()
        last = done >= self.total
        pause = 0.2 if self.terminal else self.every
        if self.quiet or self.total < 2 or done < 1 or (not last and now - self.shown < pause):
            return
        self.shown = now
        elapsed = now - self.began
        left = f"{duration(elapsed / done * (self.total - done))} left" if not last else f"in {duration(elapsed)}"
        line = f"{self.what} {done}/{self.total}, {left}{', ' + note if note else ''}"
        if self.terminal:
            sys.stderr.write(f"\r\x1b[2K{line}" + ("\n" if last else ""))
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()
