"""The numbers by which a submission to ILSVRC names images, from the task's own list."""

from collections.abc import Sequence
from pathlib import Path

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.numerals import whole_number

from .inputs import ImageFile

__all__ = ["image_numbers"]


def image_numbers(path: Path, format: str, files: Sequence[ImageFile]) -> list[int]:
    """The number of each image in a list of rows `image number`, found by the name of its file without folders.

    UsageError for a list that is none, and for an image that it has not, before any work is done.
    """
    if format != "ilsvrc":
        raise UsageError("FLAG_VALUE", f"--numbers goes with --format ilsvrc, not {format}: leave it out")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError("LIST_UNREADABLE", f"cannot read list {path}: {reason}") from None
    numbers: dict[str, int] = {}
    for place, row in enumerate((line.split() for line in lines), start=1):
        if not row:
            continue
        if len(row) != 2 or not (number := whole_number(row[1])):
            what = f"expected an image and its number from 1, found {' '.join(row)[:80]!r}"
            raise UsageError("LIST_BAD_ROW", f"--numbers {path}:{place}: {what}")
        numbers[_name(row[0])] = number
    found = [numbers.get(_name(file.image_id)) for file in files]
    if None in found:
        lost = files[found.index(None)]
        raise UsageError(
            "IMAGE_UNKNOWN", f"--numbers {path}: image {lost.image_id} is not in it; give the list it is of"
        )
    if len(set(found)) < len(found):
        raise UsageError("DUPLICATE_ID", f"--numbers {path}: two images have one number; give each image once")
    return [number for number in found if number is not None]


def _name(image_id: str) -> str:
    return image_id.rpartition("/")[2]
