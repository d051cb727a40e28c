"""A folder per class as a data set to check: images with a class each, and no boxes."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Sample
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.classified import read_classified
from googlenet_rcnn.datasets.findings import Finding, Findings
from googlenet_rcnn.datasets.imagefolder import SUFFIXES

__all__ = ["LabelledImages", "folder_splits", "inspect_labelled", "read_folders"]

_SPLITS = ("train", "val", "valid", "validation", "test")
_OTHER = (".xml", ".json", ".txt")  # such files beside the pictures annotate them in another layout


@dataclass(frozen=True)
class LabelledImages(AnnotatedDataset):
    """Samples without truth, and the label [N] of each image as a whole."""

    image_labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False)


def folder_splits(root: Path) -> list[str]:
    """Names of the splits below `root`, `all` where class folders lie there themselves; none if there are none."""
    folders = _folders(root)
    splits = [folder.name for folder in folders if folder.name in _SPLITS]
    if splits and len(splits) == len(folders):
        return splits if all(_has_classes(root / split) for split in splits) else []
    return ["all"] if _has_classes(root) else []


def read_folders(root: Path, split: str, findings: Findings | None = None) -> LabelledImages:
    """The images of a split, each with the class of its folder; pixels are not read."""
    found = read_classified(root, None if split == "all" else split)
    if findings is not None:
        findings += found.findings
    samples = tuple(Sample(path.relative_to(root).with_suffix("").as_posix(), path) for path in found.paths)
    return LabelledImages(found.labels, samples, tuple(found.findings), image_labels=found.truth)


def inspect_labelled(dataset: LabelledImages, fewest: int) -> list[Finding]:
    """Findings on too few images, and on classes with fewer than `fewest`."""
    findings = []
    if len(dataset.samples) <= 1:
        message = "nothing can be learnt from so few; add some"
        findings.append(Finding("FEW_IMAGES", "", f"{len(dataset.samples)} images", message, "error"))
    counts = Counter(dataset.image_labels.tolist())
    for label, name in enumerate(dataset.labels.names):
        if counts[label] < fewest:
            message = f"{counts[label]} images, fewer than {fewest}; add examples"
            findings.append(Finding("CLASS_RARE", "", name, message))
    return findings


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _has_classes(root: Path) -> bool:
    suffixes = {entry.suffix.lower() for folder in _folders(root) for entry in folder.iterdir()}
    return bool(suffixes & SUFFIXES) and not suffixes & set(_OTHER)
