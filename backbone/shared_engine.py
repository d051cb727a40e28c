"""Engines that are in use, handed out again: an ensemble or a second look at the same weights loads nothing twice."""

from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

from .engine import Engine, Part
from .engine_choice import load_engine

__all__ = ["shared_engine"]

_Key = tuple[Path, int, int, Part, str, int | None, int | None]
_ALIVE: WeakValueDictionary[_Key, Engine] = WeakValueDictionary()


def shared_engine(
    path: Path,
    part: Part = "scores",
    runtime: str = "auto",
    side: int | None = None,
    threads: int | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Engine:
    """What `load_engine` gives, or the very engine that somebody in this process still holds for the same file."""
    if not path.is_file():  # which is said there
        return load_engine(path, part, runtime, side, threads, say)
    stat = path.stat()
    key = (path.resolve(), stat.st_mtime_ns, stat.st_size, part, runtime, side, threads)
    engine = _ALIVE.get(key)
    if engine is None:
        engine = _ALIVE[key] = load_engine(path, part, runtime, side, threads, say)
    return engine
