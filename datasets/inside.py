"""Names of files that come from data: they may lead further in, never out."""

from googlenet_rcnn.core.errors import DataError

__all__ = ["inside"]


def inside(name: str, where: object) -> str:
    """The name itself; DataError (PATH_ESCAPE) if it is absolute, a URL, climbs with `..` or has a backslash."""
    parts = name.split("/")
    if not name or any(mark in name for mark in "\\\0:\n") or parts[0] == "" or ".." in parts or "." in parts:
        raise DataError("PATH_ESCAPE", f"{where}: the name {name[:80]!r} leads outside; use a plain relative file name")
    return name
