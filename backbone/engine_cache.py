"""Built engines on disk: found again by what determines them, whole or built anew."""

import hashlib
import json
import os
import platform
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.store import atomic_file, storage_error
from googlenet_rcnn.core.user_cache import user_cache

__all__ = ["cache_folder", "cached_bytes", "describe_processor", "settings_name"]

_DIGEST_BYTES = 32
_ROOM = 2 * 2**30  # bytes; an engine has 7 to 60 million


def cache_folder() -> Path:
    """Where engines are kept: in the user's cache folder; OSError where there is no place for one."""
    return user_cache() / "engines"


def settings_name(settings: dict[str, Any]) -> str:
    """A name for what is determined by these settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]


def describe_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's model and instruction sets, or as much as Python knows where the kernel does not tell."""
    try:
        text = cpuinfo.read_text("utf-8", "replace")
    except OSError:
        text = ""
    lines = re.findall(r"^(?:model name|flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
    return "; ".join([platform.machine(), *(dict.fromkeys(lines) or [platform.processor()])])


def cached_bytes(name: str, build: Callable[[], bytes], say: Callable[[str], None]) -> bytes:
    """What `build` makes, kept as the file `name` with its SHA-256 in front; a damaged file is built again.

    What was not used for longest goes once there is too much.
    Where the folder cannot be written, `say` tells so and the next start has to build again.
    """
    try:
        path = cache_folder() / name
        content = path.read_bytes()
    except OSError:
        content = b""
    kept = content[_DIGEST_BYTES:]
    if kept and hashlib.sha256(kept).digest() == content[:_DIGEST_BYTES]:
        with suppress(OSError):
            os.utime(path)  # used last now
        return kept
    made = build()
    try:
        _keep(name, made)
    except ProjectError as error:
        say(f"note: the engine is not kept for the next start ({error.message})")
    return made


def _keep(name: str, made: bytes) -> None:
    try:
        path = cache_folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, Path(name)) from error
    with atomic_file(path) as stream:
        stream.write(hashlib.sha256(made).digest())
        stream.write(made)
    _make_room(path)


def _make_room(newest: Path) -> None:
    """Removes the files that were not used for longest, never `newest`, until all are within the limit."""
    with suppress(OSError):  # another process may be doing the same
        others = [(path.stat(), path) for path in newest.parent.iterdir() if path.is_file() and path != newest]
        total = newest.stat().st_size + sum(status.st_size for status, _ in others)
        for status, path in sorted(others, key=lambda one: one[0].st_mtime_ns):
            if total <= _ROOM:
                break
            path.unlink()
            total -= status.st_size
