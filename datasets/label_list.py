"""Label lists: one class name a line, in the order of the labels."""

from importlib.resources import files
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet

__all__ = ["load_labels"]


def load_labels(name: str | Path) -> LabelSet:
    """The label set of a list that ships with the package (`voc20`) or of a text file."""
    shipped = files(__package__).joinpath("labels")
    if isinstance(name, str) and name.isidentifier():
        source = shipped.joinpath(f"{name}.txt")
        if not source.is_file():
            known = ", ".join(sorted(entry.name[:-4] for entry in shipped.iterdir()))
            raise DataError("LABELS_UNKNOWN", f"there is no label list {name!r}; known are {known}")
        text = source.read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise DataError("LABELS_UNREADABLE", f"{name}: {reason}; it needs one class name a line") from error
    try:
        return LabelSet(tuple(line.strip() for line in text.splitlines() if line.strip()))
    except ValueError as error:
        raise DataError("LABELS_INVALID", f"{name}: {error}") from error
