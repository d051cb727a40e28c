"""Images in a folder for each class: the layout of ImageNet's training set and of most people's own images."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses, folded

__all__ = ["SUFFIXES", "ImageFolder", "read_image_folder"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"})
_WNID = re.compile(r"n\d{8}")


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """Files, sorted by class folder and name, and the label [N] of each in `labels`; and what was left out."""

    labels: LabelSet
    paths: Sequence[Path] = field(repr=False)
    truth: NDArray[np.int64] = field(repr=False)
    findings: Sequence[Finding] = field(default=(), repr=False)


def read_image_folder(root: Path, labels: LabelSet | None = None, split: str | None = None) -> ImageFolder:
    """Lists the images below the class folders of `root`, or of its folder `split`; none is opened.

    A folder means the label with its name, or with its WNID, or with its name but for case, underscores and
    hyphens; without `labels` the folders' names are the labels. Hidden files are passed over; images outside
    the class folders, other files and empty classes are findings. DataError where there are no images, or
    where folders have no label of their own.
    """
    place = _split_folder(root, split)
    folders = [folder for folder in _visible(place) if folder.is_dir()]
    if not folders:
        raise DataError("DATA_UNRECOGNISED", f"{place}: no folder in it; a data set has a folder for each class")
    findings = _left_out(place, [entry for entry in _visible(place) if not entry.is_dir()])
    images: dict[str, list[Path]] = {}
    for folder in folders:
        files = _files(folder)
        images[folder.name] = [file for file in files if file.suffix.lower() in SUFFIXES]
        findings += _left_out(folder, [file for file in files if file.suffix.lower() not in SUFFIXES])
        if not images[folder.name]:
            findings.append(Finding("CLASS_EMPTY", str(folder), folder.name, "this class has no images"))
    labels = labels or LabelSet(tuple(images))
    owners = _owners(place, images, labels)
    paths = [path for files in images.values() for path in files]
    if not paths:
        raise DataError("NO_IMAGES", f"{place}: no image in its {len(folders)} class folders")
    truth = [owners[name] for name, files in images.items() for _ in files]
    return ImageFolder(labels, tuple(paths), np.array(truth, dtype=np.int64), tuple(findings))


def _split_folder(root: Path, split: str | None) -> Path:
    if not root.is_dir():
        raise DataError(
            "DATA_MISSING", f"{root}: there is no such folder; --data takes one with a folder for each class"
        )
    if split is None:
        return root
    known = {folder.name: folder for folder in _visible(root) if folder.is_dir()}
    if split not in known:
        there = ", ".join(known) or "none"
        raise DataError("SPLIT_MISSING", f"{root}: there is no folder {split!r}; available: {there}")
    return known[split]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError("DATA_UNREADABLE", f"{folder}: {error.strerror}; check its permissions") from error


def _files(folder: Path) -> list[Path]:
    """Files below a class folder; links to folders are not followed, so that a loop of links is no trap."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return found


def _left_out(folder: Path, files: list[Path]) -> list[Finding]:
    if not files:
        return []
    what = "1 file is" if len(files) == 1 else f"{len(files)} files are"
    return [Finding("FILE_IGNORED", str(folder), files[0].name, f"{what} no image of a class", "info")]


def _owners(place: Path, images: dict[str, list[Path]], labels: LabelSet) -> dict[str, int]:
    """The label that each folder means."""
    exact = {name: label for label, name in enumerate(labels.names)}
    alike: dict[str, set[int]] = {}
    for label, name in enumerate(labels.names):
        wnid, _, rest = name.partition(" ")
        names = [name]
        if _WNID.fullmatch(wnid):
            exact.setdefault(wnid, label)
            names.append(rest)
        for one in names:
            alike.setdefault(folded(one), set()).add(label)
    owners: dict[str, int] = {}
    claims: dict[int, str] = {}
    unknown = UnknownClasses()
    for name, files in images.items():
        near = alike.get(folded(name), set())  # several of ImageNet's classes share a name
        label = exact.get(name, next(iter(near)) if len(near) == 1 else -1)
        if label < 0:
            for file in files or [place / name]:
                unknown.add(name, str(file))
        elif (other := claims.setdefault(label, name)) != name:
            both = f"the folders {other!r} and {name!r} both mean {labels.names[label]!r}"
            raise DataError("CLASS_TWICE", f"{place}: {both}; merge them")
        owners[name] = label
    splits = set(images) <= {"train", "val", "test"}
    unknown.check(labels, "choose one with --split" if splits else "rename the folders")
    return owners
