"""Archives good and hostile, made in memory and written where asked."""

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

Entry = tuple[str | tarfile.TarInfo, bytes]


def write_tar(path: Path, entries: Iterable[Entry], mode: str = "w:gz") -> Path:
    """A tar with regular files, or members that need not be."""
    with tarfile.open(path, mode) as archive:
        for name, data in entries:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if member.isreg():
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def write_zip(path: Path, entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    """A zip, compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A tar member that is no regular file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def packed_folder(folder: Path, path: Path) -> Path:
    """A tar.gz of everything in a folder, under its name."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, folder.name)
    return path
