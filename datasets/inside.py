"""Names of files that come from data: they may lead further in, never out."""

import os

from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["inside"]

_LONGEST = 255  # bytes of a part of a path, in every file system in use


def inside(name: str, file: object, place: str = "") -> str:
    """The name itself, found at a place in a file; DataError (PATH_ESCAPE) if it can lead out of its folder.

    That is if it is absolute, a URL, climbs with `..` or has a backslash. Nor may it be one that no file can have.
    """
    parts = name.split("/")
    leads_out = any(mark in name for mark in "\\\0:\n") or parts[0] == "" or ".." in parts or "." in parts
    if leads_out or not _possible(parts):
        reason = f"the name {name[:80]!r} leads outside, or no file can have it; use a plain relative file name"
        raise AnnotationError("PATH_ESCAPE", file, place, reason)
    return name


def _possible(parts: list[str]) -> bool:
    try:
        return all(len(os.fsencode(part)) <= _LONGEST for part in parts) and len(parts) < _LONGEST
    except UnicodeEncodeError:  # half a character, which JSON can spell
        return False
