"""A split written in the layout of VOC, COCO or YOLO, pictures included."""

import filecmp
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.store import storage_error
from googlenet_rcnn.core.types import Dataset, Sample
from googlenet_rcnn.datasets.coco_writer import write_coco
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.voc_writer import write_voc
from googlenet_rcnn.datasets.yolo_writer import write_yolo

__all__ = ["KINDS", "PLACINGS", "place_pictures", "refuse_taken", "write_annotations"]

KINDS = ("voc", "coco", "yolo")
PLACINGS = ("copy", "link", "none")
_TARGETS = {"voc": "ImageSets/Main/{}.txt", "coco": "annotations/instances_{}.json", "yolo": "labels/{}"}
_PICTURES = {"voc": "JPEGImages", "coco": "{}", "yolo": "images/{}"}


def refuse_taken(kind: str, folder: Path, splits: Sequence[str], overwrite: bool) -> None:
    """UsageError (OUT_EXISTS) if a split is there already and may not be replaced."""
    for split in splits:
        target = folder / _TARGETS[kind].format(split)
        if target.exists() and not overwrite:
            raise UsageError("OUT_EXISTS", f"{target} is there already: choose another place or say --overwrite")


def write_annotations(kind: str, dataset: Dataset, folder: Path, split: str, overwrite: bool) -> list[Finding]:
    """Writes the annotations of a split; findings on what the format cannot say."""
    if kind == "voc":
        write_voc(dataset, folder, split, overwrite)
    elif kind == "coco":
        write_coco(dataset, folder / _TARGETS[kind].format(split), overwrite)
    else:
        return write_yolo(dataset, folder, split, overwrite)
    return []


def place_pictures(kind: str, dataset: Dataset, folder: Path, split: str, placing: str, overwrite: bool) -> None:
    """Copies or links (symbolically) the pictures of a split to where its layout has them.

    DataError (IMG_MISSING) before anything is written if one is not there; UsageError (OUT_EXISTS) for another
    picture in its place.
    """
    if placing == "none":
        return
    missing = [sample.path for sample in dataset.samples if not sample.path.is_file()]
    if missing:
        fix = "add them, or say --images none"
        raise DataError("IMG_MISSING", f"{missing[0]} is not there ({len(missing)} of them are not): {fix}")
    home = folder / _PICTURES[kind].format(split)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, home) from error
    for sample in dataset.samples:
        _place(sample, home / f"{sample.image_id}{sample.path.suffix or '.jpg'}", placing, overwrite)


def _place(sample: Sample, target: Path, placing: str, overwrite: bool) -> None:
    """One picture, whole or not at all."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if target.exists() and not overwrite:
            if filecmp.cmp(sample.path, target, shallow=False):  # from a run that was stopped
                return
            raise UsageError("OUT_EXISTS", f"{target} is another picture: choose another place or say --overwrite")
        target.parent.mkdir(parents=True, exist_ok=True)
        if placing == "link":
            temporary.symlink_to(sample.path.resolve())
        else:
            shutil.copyfile(sample.path, temporary)
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise storage_error(error, target) from error
