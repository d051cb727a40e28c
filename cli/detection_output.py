"""What `detect --out` leaves behind: its rows as they are, or in the format of another tool."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import LabelSet

from .inputs import ImageFile
from .ledger import refuse_finished
from .rows import escaped

if TYPE_CHECKING:
    from googlenet_rcnn.core.types import Dataset
    from googlenet_rcnn.eval.detection_table import DetectionTable

__all__ = ["FORMATS", "ROWS_KEPT", "check_output", "det_numbers", "rows_path", "write_output"]

FORMATS = ("jsonl", "voc", "coco", "ilsvrc", "yolo", "csv", "parquet")
ROWS_KEPT = ("jsonl", "voc", "yolo")
"""Formats that leave the rows as they are, alone or beside what is made from them."""

_FOLDERS = {"voc": "comp4_det_images_*.txt", "yolo": "*.txt"}
"""Formats of several files, and what these are called."""

_LONGEST = 200  # bytes of a file name, which leaves room for the suffixes of temporary files


def rows_path(out: Path, format: str) -> Path:
    """The file that takes a row for each image while the command runs: `out` itself, or one in the folder `out`."""
    return out / "detections.jsonl" if format in _FOLDERS else out


def check_output(
    out: Path | None,
    format: str,
    overwrite: bool,
    files: Sequence[ImageFile],
    arguments: Iterable[str],
    labels: Callable[[], LabelSet],
) -> None:
    """UsageError for what would make writing fail: better said before the work than after it."""
    if format not in FORMATS:
        raise UsageError("FORMAT_UNKNOWN", f"--format {format}: known are {', '.join(FORMATS)}")
    if out is None:
        if format != "jsonl":
            what = "DIR" if format in _FOLDERS else "FILE"
            raise UsageError("OUT_MISSING", f"--format {format} writes files: say where with --out {what}")
        return
    if os.path.realpath(out) in {os.path.realpath(file.path) for file in files}:
        raise UsageError("OUT_IS_INPUT", f"--out would overwrite the input {out}: choose another file")
    path = rows_path(out, format)
    if not overwrite:
        refuse_finished(path)
    begun = overwrite or path.with_name(f"{path.name}.part").exists()
    if format in _FOLDERS:
        for argument in arguments:
            if os.path.isdir(argument) and out.resolve().is_relative_to(Path(argument).resolve()):
                raise UsageError("OUT_IN_INPUT", f"--out {out} lies in the input folder {argument}: choose another")
        found = None if begun else next(out.glob(_FOLDERS[format]), None)
        if found is not None:
            raise UsageError("OUT_EXISTS", f"{found} is there already: choose another --out or say --overwrite")
        _check_ids(format, files)
    elif format == "coco":
        from googlenet_rcnn.eval.coco_results import coco_names_path

        if (beside := coco_names_path(out)).exists() and not begun:
            raise UsageError("OUT_EXISTS", f"{beside} is there already: choose another --out or say --overwrite")
    elif format == "parquet":
        from googlenet_rcnn.eval.parquet_results import load_pyarrow

        load_pyarrow()
    elif format == "ilsvrc":
        det_numbers(labels())


def write_output(
    rows: Iterable[dict[str, Any]],
    out: Path,
    format: str,
    labels: LabelSet,
    say: Callable[[str], None],
    numbers: Sequence[int] | None = None,
) -> None:
    """Writes the rows of all images in a format, over what a stopped run has left.

    `numbers` are those of the images in a submission to ILSVRC, by default their places, from 1.
    """
    from googlenet_rcnn.eval.coco_results import write_coco_names, write_coco_results
    from googlenet_rcnn.eval.comp4 import write_comp4
    from googlenet_rcnn.eval.csv_results import write_csv
    from googlenet_rcnn.eval.ilsvrc_submission import write_ilsvrc
    from googlenet_rcnn.eval.parquet_results import write_parquet
    from googlenet_rcnn.eval.yolo_results import write_yolo_results

    writers: dict[str, Callable[..., object]] = {
        "voc": write_comp4,
        "coco": write_coco_results,
        "ilsvrc": write_ilsvrc,
        "yolo": write_yolo_results,
        "csv": write_csv,
        "parquet": write_parquet,
    }
    table, dataset = _collected(rows, labels, numbers)
    if format == "ilsvrc":
        table, dataset = _of_det(table, dataset, say)
    if format == "coco":
        write_coco_names(dataset, out)
    writers[format](table, dataset, out, overwrite=True)


def _check_ids(format: str, files: Sequence[ImageFile]) -> None:
    """Image ids must be able to stand in a row of VOC's, and be names of different files of YOLO's."""
    seen = {"classes"}
    for image_id in (escaped(file.image_id) for file in files):
        if format == "voc" and image_id.split() != [image_id]:
            raise UsageError("ID_HAS_SPACE", f"--format voc cannot name image {image_id!r}: use jsonl or rename")
        if format == "yolo" and len(Path(image_id).name.encode()) > _LONGEST:
            raise UsageError("ID_TOO_LONG", f"--format yolo cannot name a file {image_id}.txt: use jsonl or rename")
        if format == "yolo" and image_id.casefold() in seen:
            whose = "the list of classes" if image_id.casefold() == "classes" else "two images"
            raise UsageError("ID_TAKEN", f"--format yolo would need {image_id}.txt for {whose}: use jsonl or rename")
        seen.add(image_id.casefold())


def _collected(
    rows: Iterable[dict[str, Any]], labels: LabelSet, numbers: Sequence[int] | None
) -> "tuple[DetectionTable, Dataset]":
    """The detections as a table, and the images in order; an image that failed has no size."""
    import numpy as np

    from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, Sample, Size
    from googlenet_rcnn.eval.detection_table import DetectionTable

    def nothing_in(size: Size) -> GroundTruth:
        return GroundTruth(Boxes.empty(size), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))

    samples: list[Sample] = []
    image, label, score, box = [], [], [], []
    index = {name: label for label, name in enumerate(labels.names)}
    for row in rows:
        for one in row["detections"]:
            image.append(len(samples))
            label.append(index[one["label"]])
            score.append(one["score"])
            box.append(one["box"])
        failed = row["status"] == "failed"
        size = None if failed else nothing_in(Size(row["height"], row["width"]))
        number = None if numbers is None else numbers[len(samples)]
        samples.append(Sample(row["image_id"], Path(row["path"]), size, number))
    table = DetectionTable(np.array(image), np.array(label), np.array(score), np.array(box))
    return table, Dataset(labels, tuple(samples))


def det_numbers(labels: LabelSet) -> dict[int, int]:
    """The DET id of each label whose class DET has; UsageError (CLASS_UNKNOWN) if it has none of them."""
    from googlenet_rcnn.datasets.label_list import load_labels
    from googlenet_rcnn.datasets.voc_synsets import VOC_SYNSETS

    det: dict[str, int] = {}
    for number, entry in enumerate(load_labels("ilsvrc_det").names, start=1):
        wnid, _, name = entry.partition(" ")
        det |= {wnid: number, name: number, entry: number}
    own = [VOC_SYNSETS.get(name, name) for name in labels.names]
    numbers = {label: det[name] for label, name in enumerate(own) if name in det}
    if not numbers:
        reason = f"ILSVRC DET has none of the classes {', '.join(labels.names[:5])}, ..."
        raise UsageError("CLASS_UNKNOWN", f"--format ilsvrc: {reason}; use another format")
    return numbers


def _of_det(
    table: "DetectionTable", dataset: "Dataset", say: Callable[[str], None]
) -> "tuple[DetectionTable, Dataset]":
    """The detections of classes that ILSVRC DET has too, by whatever name; says which it has not."""
    import numpy as np

    from googlenet_rcnn.core.types import Dataset
    from googlenet_rcnn.eval.detection_table import DetectionTable

    names = dataset.labels.names
    numbers = det_numbers(dataset.labels)
    kept = list(numbers)
    rows = np.isin(table.label, kept)
    labels = LabelSet(tuple(names[label] for label in kept), tuple(numbers.values()))
    if lost := ", ".join(name for label, name in enumerate(names) if label not in numbers):
        say(f"note: {int((~rows).sum())} detections of {lost} are left out, as ILSVRC DET has no such class")
    label = np.searchsorted(kept, table.label[rows])
    found = DetectionTable(table.image_index[rows], label, table.score[rows], table.boxes[rows])
    return found, Dataset(labels, dataset.samples)
