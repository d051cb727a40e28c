"""Names of files that come from data: they may lead further in, never out."""

from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["inside"]


def inside(name: str, file: object, place: str = "") -> str:
    """The name itself, found at a place in a file; DataError (PATH_ESCAPE) if it can lead out of its folder.

    That is if it is absolute, a URL, climbs with `..` or has a backslash.
    """
    parts = name.split("/")
    if not name or any(mark in name for mark in "\\\0:\n") or parts[0] == "" or ".." in parts or "." in parts:
        reason = f"the name {name[:80]!r} leads outside; use a plain relative file name"
        raise AnnotationError("PATH_ESCAPE", file, place, reason)
    return name
