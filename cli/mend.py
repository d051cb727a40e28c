"""`check --fix`: a corrected copy in the same layout, and what was changed in it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from googlenet_rcnn.datasets.check import Check

__all__ = ["mend"]

_CHANGES = {
    "BOX_DEGENERATE": "boxes without area dropped",
    "BOX_OUTSIDE": "boxes clipped to their image",
    "ANN_DEFAULTED": "kinds of missing fields filled in",
    "VOC_ZERO_BASED": "splits with corners from 0 now counted from 1",
}
_SHOWN = 3


def mend(check: "Check", folder: Path, placing: str, overwrite: bool, say: Callable[[str], None]) -> None:
    """Writes the copy; `say` is told what was changed and which images are not in it.

    Only boxes, classes, what is to be ignored and areas are copied:
    outlines, poses and other fields are not.
    """
    from googlenet_rcnn.datasets.layout_writer import place_pictures, write_annotations
    from googlenet_rcnn.datasets.mending import mend_split

    kind = check.layout.kind
    counts = Counter(one.code for split in check.splits for one in split.findings)
    for code, what in _CHANGES.items():
        if counts[code]:
            say(f"{what}: {counts[code]}")
    for split in check.splits:
        if split.dataset is None:
            say(f"{split.name}: not in the copy, since it could not be read")
            continue
        mended = mend_split(split.dataset, check.pictures)
        if mended.duplicates:
            say(f"{split.name}: boxes that were there twice removed: {mended.duplicates}")
        if mended.turned:
            say(f"{split.name}: images whose boxes were turned as EXIF turns the picture: {mended.turned}")
        for reason, number in Counter(mended.left_out.values()).items():
            names = [name for name, why in mended.left_out.items() if why == reason]
            more = f" and {number - _SHOWN} more" if number > _SHOWN else ""
            say(f"{split.name}: {number} left out ({reason}): {', '.join(names[:_SHOWN])}{more}")
        place_pictures(kind, mended.dataset, folder, split.name, placing, overwrite)
        for finding in write_annotations(kind, mended.dataset, folder, split.name, overwrite):
            say(f"note: {finding}")
    say(f"wrote {folder}: boxes, classes, what is to be ignored and areas; outlines and other fields are not copied")
