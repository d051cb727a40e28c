"""`convert`: a data set of any layout written as VOC, COCO or YOLO, with as many images and boxes as it had."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from googlenet_rcnn.core.errors import DataError, Exit, UsageError

from .written_data import check_target

if TYPE_CHECKING:
    from googlenet_rcnn.core.types import Dataset
    from googlenet_rcnn.datasets.annotated import AnnotatedDataset

__all__ = ["run_convert"]


class _Counts(NamedTuple):
    """What must be the same on both sides."""

    images: int
    empty: int
    boxes: int


def run_convert(
    data: Path,
    to: str,
    out: Path,
    *,
    splits: tuple[str, ...] = (),
    placing: str = "copy",
    overwrite: bool = False,
    quiet: bool = False,
) -> int:
    """Writes the splits into `out`, reads them again and prints the counts of both; DataError if they differ."""
    from googlenet_rcnn.datasets.check import choose_splits
    from googlenet_rcnn.datasets.layout_writer import KINDS, place_pictures, refuse_taken, write_annotations
    from googlenet_rcnn.datasets.tree import read_dataset, recognise

    if to not in KINDS:
        raise UsageError("FLAG_VALUE", f"--to: known are {', '.join(KINDS)}")
    check_target(out, data, placing)
    layout = recognise(data)
    names = choose_splits(layout, splits)
    refuse_taken(to, out, names, overwrite)
    read = {name: layout.read(name, None) for name in names}
    if len({dataset.labels.names for dataset in read.values()}) > 1:
        raise DataError("LABELS_DIFFER", f"{data}: its splits list other classes; convert them one at a time")
    if to == "voc":
        _refuse_shared_names(read)
    print(f"{'split':<12}{'images':>10}{'empty':>10}{'boxes':>10}")
    for name, dataset in read.items():
        for finding in () if quiet else dataset.findings:
            print(f"note: {finding}", file=sys.stderr)
        place_pictures(to, dataset, out, name, placing, overwrite)
        for finding in write_annotations(to, dataset, out, name, overwrite):
            print(f"note: {finding}", file=sys.stderr)
        before = _count(dataset)
        if to != "yolo" or placing != "none":  # YOLO's boxes have no size without their pictures
            after = _count(read_dataset(out, name))
            if after != before:
                raise DataError("COUNTS_DIFFER", f"{out}: split {name} had {before}, and {after} was read back")
        print(f"{name:<12}" + "".join(f"{count:>10}" for count in before))
    print(f"wrote {out} as {to.upper()}; next: googlenet-rcnn check {out}")
    return Exit.OK


def _count(dataset: "Dataset") -> _Counts:
    truths = [sample.truth for sample in dataset.samples if sample.truth is not None]
    return _Counts(len(dataset.samples), sum(not len(truth) for truth in truths), sum(map(len, truths)))


def _refuse_shared_names(read: "dict[str, AnnotatedDataset]") -> None:
    """VOC has one folder for the images of all splits."""
    owners: dict[str, tuple[str, Path]] = {}
    for name, dataset in read.items():
        for sample in dataset.samples:
            split, path = owners.setdefault(sample.image_id, (name, sample.path))
            if path != sample.path:
                fix = "convert one split at a time into folders of their own"
                raise DataError("DUPLICATE_ID", f"image {sample.image_id} is another one in {split} and {name}: {fix}")
