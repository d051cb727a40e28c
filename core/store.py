"""Files that are either whole or absent: everything is written to a temporary name, synced and renamed."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import get_ident
from typing import IO, Any

from .errors import DataError, ResourceError, UsageError

__all__ = ["JsonLines", "atomic_file", "digest", "lock", "read_json_lines", "write_json"]

# Windows has no fcntl; there two writers are the user's own care.
fcntl: Any = import_module("fcntl") if find_spec("fcntl") else None

_FLAGS = os.O_RDWR | os.O_CREAT | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY"))


@contextmanager
def atomic_file(path: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """A file that takes the name `path` only once it is complete and on disk; a failure leaves nothing.

    What a killed process leaves, under a name of its own, the next one that writes `path` takes up. Until then nobody
    else may read it. Raises ResourceError (DISK_FULL) when the disk is full and UsageError (OUT_UNWRITABLE) when the
    folder cannot be written.
    """
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else "\n"
    try:
        temporary, descriptor = _temporary(path)
        try:
            with open(descriptor, mode, encoding=encoding, newline=newline) as stream:
                yield stream
                stream.flush()
                os.chmod(temporary, 0o666 & ~_umask())
                os.fsync(descriptor)
                if fcntl is not None:  # the lock ends with the stream
                    os.replace(temporary, path)
            if fcntl is None:  # Windows cannot rename what is open
                os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise storage_error(error, path) from error


def _temporary(path: Path) -> tuple[Path, int]:
    """A new or left file beside `path` that no other living writer has, and its descriptor."""
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, _FLAGS, 0o600)
    try:
        if not _alone(temporary, descriptor):
            os.close(descriptor)
            temporary = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.tmp")
            descriptor = os.open(temporary, _FLAGS, 0o600)
        os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return temporary, descriptor


def _alone(path: Path, descriptor: int) -> bool:
    """Whether this descriptor now holds the lock of the file that bears the name `path`."""
    if fcntl is None:
        return False
    with suppress(OSError):  # locked by another, or renamed by it, or on a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _umask() -> int:
    """The permissions that the user takes from new files; there is no way to ask without setting them."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def storage_error(error: OSError, path: Path) -> ResourceError | UsageError:
    """The coded error for an operating system's refusal to write `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError("DISK_FULL", f"no space left while writing {path}: free some and run again")
    return UsageError("OUT_UNWRITABLE", f"cannot write {path}: {error.strerror or error}")


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON; not-a-number is refused, since JSON has none."""
    with atomic_file(path, "w") as stream:
        json.dump(value, stream, indent=2, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON-lines file in order; DataError with the line number for anything else."""
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError("JSONL_PARSE", f"{path}:{number}: not a JSON object ({error})") from None
            if not isinstance(row, dict):
                raise DataError("JSONL_PARSE", f"{path}:{number}: expected an object, got {type(row).__name__}")
            yield row


class JsonLines:
    """A JSON-lines file that grows a row at a time; opening it again cuts off a tail torn by a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.exists():
                whole = path.read_bytes()
                complete = whole[: whole.rfind(b"\n") + 1]
                if complete != whole:
                    os.truncate(path, len(complete))
            self._stream = open(path, "ab")  # noqa: SIM115 - lives as long as the object
        except OSError as error:
            raise storage_error(error, path) from error

    def append(self, row: dict[str, Any]) -> None:
        """Writes one object as one line and hands it to the operating system at once."""
        line = json.dumps(row, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"
        try:
            self._stream.write(line.encode())
            self._stream.flush()
        except OSError as error:
            raise storage_error(error, self.path) from error

    def close(self) -> None:
        """Syncs and closes the file."""
        try:
            with self._stream:
                self._stream.flush()
                os.fsync(self._stream.fileno())
        except OSError as error:
            raise storage_error(error, self.path) from error

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds `path` as a lock of this process; UsageError (OUT_BUSY) when another living process holds it.

    The operating system drops the lock with the process, so a crash never leaves one behind.
    """
    if fcntl is None:
        yield
        return
    while True:
        try:
            stream = open(path, "ab")  # noqa: SIM115
        except OSError as error:
            raise storage_error(error, path) from error
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            raise UsageError(
                "OUT_BUSY", f"another process is writing beside {path}: wait or choose another output"
            ) from None
        # Its last holder may have removed the file between our opening and locking it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                break
        stream.close()
    with stream:
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()
