"""The text files of a data set by their names below its root, which is a folder or an archive of one."""

import posixpath
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.archive import ARCHIVES, read_archive
from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["TextTree"]

_SUFFIXES = (".xml", ".txt")
_MAX_BYTES = 64 * 2**20


class TextTree:
    """Lists and annotations below `root`; an archive is read once, a folder's files when asked for.

    `pictures` is the folder in which names of image files are looked for: the root, or the archive's own.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._members: dict[str, bytes] | None = None
        if root.name.endswith(ARCHIVES) and not root.is_dir():
            self._members = read_archive(root, _SUFFIXES)
        elif not root.is_dir():
            raise DataError("DATA_MISSING", f"{root}: there is no such folder or archive; check --data")
        self.pictures = root if self._members is None else root.parent

    def where(self, name: str) -> str:
        """The path to show in messages."""
        return f"{self.root}/{name}" if name else str(self.root)

    def names(self, folder: str = "") -> list[str]:
        """Names directly below a folder, sorted; none if there is no such folder."""
        if self._members is None:
            path = self.root / folder
            return sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
        start = f"{folder}/" if folder else ""
        return sorted({name[len(start) :].split("/")[0] for name in self._members if name.startswith(start)})

    def is_folder(self, name: str) -> bool:
        """Whether there is such a folder."""
        if self._members is None:
            return (self.root / name).is_dir()
        return not name or any(member.startswith(f"{name}/") for member in self._members)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file() if self._members is None else name in self._members

    def documents(self) -> dict[str, str]:
        """Full names of all XML files by their stems; DataError (DUPLICATE_ID) if two have the same."""
        if self._members is None:
            every = sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.xml"))
        else:
            every = [name for name in self._members if name.endswith(".xml")]
        found: dict[str, str] = {}
        for name in every:
            stem = posixpath.basename(name)[:-4]
            if stem in found:
                reason = f"{found[stem]} annotates the same image; keep one"
                raise AnnotationError("DUPLICATE_ID", self.where(name), "", reason)
            found[stem] = name
        return found

    def read(self, name: str) -> bytes:
        """Contents of a file; DataError (ANN_UNREADABLE) if it cannot be read or no annotations are that large."""
        if self._members is not None:
            return self._members[name]
        try:
            with (self.root / name).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            reason = f"{error.strerror}; check the permissions"
            raise AnnotationError("ANN_UNREADABLE", self.where(name), "", reason) from error
        if len(data) > _MAX_BYTES:
            reason = f"more than {_MAX_BYTES} bytes; this is no list"
            raise AnnotationError("ANN_UNREADABLE", self.where(name), "", reason)
        return data

    def rows(self, name: str) -> list[list[str]]:
        """The words of each line of a UTF-8 list, blank lines included; DataError (SPLIT_UNREADABLE) otherwise."""
        try:
            return [line.split() for line in self.read(name).decode("utf-8-sig").splitlines()]
        except UnicodeDecodeError as error:
            reason = "this is not a UTF-8 list; save it so"
            raise AnnotationError("SPLIT_UNREADABLE", self.where(name), "", reason) from error
