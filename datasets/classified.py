"""Labelled images in either of two layouts: a folder for each class, or a flat folder with a list."""

from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.numerals import whole_number
from googlenet_rcnn.core.types import LabelSet

from .findings import Finding
from .imagefolder import ImageFolder, read_image_folder
from .inside import inside
from .label_list import load_labels

__all__ = ["read_classified"]

_SYNSETS = "synsets.txt"


def read_classified(root: Path, split: str | None = None, labels: LabelSet | None = None) -> ImageFolder:
    """The images of a split and their labels; none is opened.

    ILSVRC's layout is recognised by a list `<split>.txt` beside the folder of the split, with a file and the number of
    its class in each line, counted from 0 in the order of `synsets.txt` (that of the folders' names if there is none):
    its training images lie in a folder for each class, its validation images all in one. DataError names the file and
    line at fault.
    """
    synsets = load_labels(root / _SYNSETS) if (root / _SYNSETS).is_file() else None
    labels = labels or synsets
    listed = root / f"{split}.txt"
    if split is None or not listed.is_file():
        return read_image_folder(root, labels, split)
    labels = labels or read_image_folder(root, None, "train").labels
    paths, truth = [], []
    for number, line in enumerate(_read_lines(listed), start=1):
        where, (name, _, label) = f"{listed}, line {number}", line.rpartition(" ")
        index = whole_number(label)
        if not name.strip() or index is None or index >= len(labels):
            reason = f"{line[:80]!r} is no file and class from 0 to {len(labels) - 1}"
            raise DataError("ANN_PARSE", f"{where}: {reason}")
        paths.append(root / split / inside(name.strip(), where))
        truth.append(index)
    if not paths:
        raise DataError("NO_IMAGES", f"{listed} names no image")
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError("IMG_MISSING", f"{missing[0]}, named in {listed}, is not there ({len(missing)} are not)")
    findings = () if synsets is not None else (_no_synsets(listed),)
    return ImageFolder(labels, tuple(paths), np.array(truth, dtype=np.int64), findings)


def _no_synsets(listed: Path) -> Finding:
    message = f"there is no {_SYNSETS} beside it: classes are numbered in the order of the training folders' names"
    return Finding("SYNSETS_MISSING", str(listed), _SYNSETS, message, "info")


def _read_lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("DATA_UNREADABLE", f"{path}: {getattr(error, 'strerror', None) or error}") from None
