"""Text files inside an archive, read in memory one by one: nothing is ever unpacked to disk."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.inside import inside

__all__ = ["ARCHIVES", "read_archive"]

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
_MAX_MEMBERS = 600_000  # the largest archive of annotations, ILSVRC DET's train, has 456,567
_MAX_MEMBER = 16 * 2**20
_MAX_WANTED = 2**30
_MAX_TOTAL = 4 * 2**30


def read_archive(path: Path, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """Contents by name, in the archive's order, of the members that end in one of `suffixes`.

    DataError (ARCHIVE_UNSAFE) for links, devices, names that lead outside or collide, encryption and sizes
    no annotations have; DataError (ARCHIVE_UNREADABLE) for a damaged archive.
    """
    contents: dict[str, bytes] = {}
    try:
        members = _zip_members if path.name.endswith(".zip") else _tar_members
        names: dict[str, str] = {}
        count = total = wanted = 0
        for name, size, read in members(path):
            count, total = count + 1, total + size
            if count > _MAX_MEMBERS or total > _MAX_TOTAL:
                raise _too_much(path)
            if read is None:
                continue
            name = inside(name.removeprefix("./"), path)
            if name.casefold() in names:
                raise _unsafe(path, f"{name!r} is in it twice, also as {names[name.casefold()]!r}")
            names[name.casefold()] = name
            if not name.lower().endswith(suffixes):
                continue
            wanted += size
            if size > _MAX_MEMBER or wanted > _MAX_WANTED:
                raise _unsafe(path, f"{name!r} is too large for annotations")
            contents[name] = read()
    except DataError as error:
        if error.code == "PATH_ESCAPE":
            raise _unsafe(path, error.message.removeprefix(f"{path}: ")) from error
        raise
    except FileNotFoundError as error:
        raise DataError("DATA_MISSING", f"{path}: there is no such archive; check the path") from error
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, *_DAMAGE) as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise DataError("ARCHIVE_UNREADABLE", f"{path}: damaged or cut short ({reason}); copy it again") from error
    return contents


_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_Member = tuple[str, int, Callable[[], bytes] | None]


def _unsafe(path: Path, reason: str) -> DataError:
    return DataError("ARCHIVE_UNSAFE", f"{path}: {reason}")


def _too_much(path: Path) -> DataError:
    return _unsafe(path, f"more than {_MAX_MEMBERS} files or {_MAX_TOTAL} bytes; unpack it yourself")


def _zip_members(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > _MAX_MEMBERS:
            raise _too_much(path)
        for entry in archive.infolist():
            kind = entry.external_attr >> 28
            if kind not in (0, 0o4, 0o10) or entry.flag_bits & 1:
                raise _unsafe(path, f"{entry.filename!r} is a link, a device or encrypted")
            read = None if entry.is_dir() else (lambda entry=entry: archive.read(entry))
            yield entry.filename, entry.file_size, read


def _tar_members(path: Path) -> Iterator[_Member]:
    with path.open("rb") as file, _unpacked(file, path) as stream:
        # Our own reader is between the two, because tarfile reads headers of any length into memory.
        archive = tarfile.open(fileobj=cast(IO[bytes], _Bounded(stream, path)), mode="r:")  # noqa: SIM115
        while member := archive.next():
            if not (member.isreg() or member.isdir()):
                raise _unsafe(path, f"{member.name!r} is a link or a device")
            archive.__dict__["members"].clear()  # it would keep every header
            read = None if member.isdir() else (lambda member=member: _extracted(archive, member))
            yield member.name, member.size, read


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def _unpacked(file: IO[bytes], path: Path) -> Any:
    for suffix, opener in ((".gz", gzip.open), (".tgz", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)):
        if path.name.endswith(suffix):
            return opener(file, "rb")
    return file


class _Bounded:
    """A stream that refuses to hand out more at once than any file we want may have."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, path
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int) -> bytes:
        """The next bytes; DataError (ARCHIVE_UNSAFE) for too many."""
        if count > _MAX_MEMBER:
            raise _unsafe(self._path, f"a header of {count} bytes")
        return self._stream.read(count)
