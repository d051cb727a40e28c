"""Which images a command works on: files, folders, globs, lists, or paths from standard input."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from googlenet_rcnn.core.errors import DataError, UsageError

__all__ = ["SUFFIXES", "ImageFile", "find_images"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"})


class ImageFile(NamedTuple):
    """A path as given, and the image's id: its stem, or its path below the given folder without suffix.

    `data` is the content of a file that lies elsewhere than at its path.
    """

    image_id: str
    path: str
    data: bytes | None = None


def find_images(arguments: Iterable[str]) -> list[ImageFile]:
    """The images that arguments name, in order; a named file that is missing is kept and fails on its own.

    A folder is searched with its subfolders, sorted, leaving out what is hidden; `*.txt` is a list, one path
    a line; `-` reads such a list from standard input. DataError (NO_IMAGES) if nothing is named at all.
    """
    arguments = list(arguments)
    if not arguments:
        raise UsageError("NO_IMAGES", "no image given: --image photo.jpg, a folder, a list.txt or - for stdin")
    found = [file for argument in arguments for file in _expand(argument)]
    if not found:
        raise DataError("NO_IMAGES", f"no image found in {', '.join(arguments)}")
    return found


def _expand(argument: str) -> Iterator[ImageFile]:
    if argument == "-":
        yield from _listed(sys.stdin.buffer.read() if sys.stdin else b"", "standard input")
    elif os.path.isdir(argument):
        yield from _folder(argument)
    elif argument.lower().endswith(".txt"):
        try:
            yield from _listed(Path(argument).read_bytes(), argument)
        except OSError as error:
            raise UsageError("LIST_UNREADABLE", f"cannot read list {argument}: {error.strerror}") from None
    elif not os.path.lexists(argument) and glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True))
        if not matches:
            raise DataError("NO_IMAGES", f"no file matches {argument}")
        yield from (_named(match) for match in matches if not os.path.isdir(match))
    else:
        yield _named(argument)


def _named(path: str) -> ImageFile:
    return ImageFile(Path(path).stem, path)


def _listed(data: bytes, source: str) -> Iterator[ImageFile]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("LIST_UNREADABLE", f"{source} is not UTF-8 at byte {error.start}") from None
    yield from (_named(line.strip()) for line in text.split("\n") if line.strip())


def _folder(folder: str) -> Iterator[ImageFile]:
    # os.walk does not follow links to folders, so a loop of links cannot trap it.
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("."):
                path = os.path.join(place, name)
                relative = Path(os.path.relpath(path, folder)).with_suffix("")
                yield ImageFile(relative.as_posix(), path)
