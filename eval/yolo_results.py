"""YOLO results: a folder of text files, one an image, with boxes as centre and size in parts of the image."""

from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset, Sample
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.output_file import new_file, refuse_existing
from googlenet_rcnn.eval.result_columns import ResultColumns, Results
from googlenet_rcnn.eval.text_lines import line_blocks, text_rows

__all__ = ["CLASSES_FILE", "read_yolo_results", "write_yolo_results"]

CLASSES_FILE = "classes.txt"
"""Names of the class numbers, one a line; without it a number is a label of the data set."""


def read_yolo_results(folder: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads `IMAGE_ID.txt` of each image; an image without a file counts as missing, an empty file as nothing found."""
    folder = Path(folder)
    columns = ResultColumns(folder, dataset, labels=_labels(folder, dataset.labels.names))
    images = columns.images
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.txt"))}
    files.pop(Path(CLASSES_FILE).stem, None)
    # In the order of the data set, not of the names: ties of score are broken by the order of the rows.
    for image_id in sorted(files, key=lambda one: images.get(one, len(images))):
        for rows in text_rows(files[image_id], "class cx cy w h confidence"):
            centre, half = rows.floats(1, 2), rows.floats(3, 4) / 2
            boxes = np.hstack([centre - half, centre + half])
            if image_id in images:
                boxes *= np.tile(_extent(dataset.samples[images[image_id]]), 2)
            keys = list(repeat(image_id, len(boxes)))
            columns.add(keys, rows.integers(0), rows.floats(5)[:, 0], boxes, rows.where)
    return columns.results(ignore_unknown, present=files)


def write_yolo_results(table: DetectionTable, dataset: Dataset, folder: str | Path, overwrite: bool = False) -> None:
    """Writes a file for each image whose size is known, empty ones too, and the names of the classes.

    Rows of an image keep the order of the table. DataError (SIZE_UNKNOWN) for detections in an image without size.
    """
    folder = Path(folder)
    paths = [folder / f"{sample.image_id}.txt" for sample in dataset.samples]
    for path in (*paths, folder / CLASSES_FILE):
        refuse_existing(path, overwrite)
    if folder / CLASSES_FILE in paths:
        raise DataError("ID_RESERVED", "image id 'classes' is the name of YOLO's list of classes; rename it")
    with new_file(folder / CLASSES_FILE, overwrite) as stream:
        stream.writelines(f"{name}\n" for name in dataset.labels.names)
    order = np.argsort(table.image_index, kind="stable")
    rows_of = np.split(order, np.searchsorted(table.image_index[order], np.arange(len(paths))))[1:]
    for sample, path, rows in zip(dataset.samples, paths, rows_of, strict=True):
        if sample.truth is None and not len(rows):
            continue  # an image that could not be read has no size, and no file
        low, high = table.boxes[rows, :2], table.boxes[rows, 2:]
        parts = np.hstack([(low + high) / 2, high - low]) / np.tile(_extent(sample), 2)
        values = np.column_stack([parts, table.score[rows]]).tolist()
        with new_file(path, overwrite) as stream:
            for label, row in zip(table.label[rows].tolist(), values, strict=True):
                stream.write(f"{label} " + "{:.9g} {:.9g} {:.9g} {:.9g} {:.9g}\n".format(*row))


def _extent(sample: Sample) -> NDArray[np.float64]:
    """Width and height of an image."""
    if sample.truth is None:
        reason = "YOLO text has boxes in parts of the image, and its size is not known"
        raise DataError("SIZE_UNKNOWN", f"image {sample.image_id!r}: {reason}; use another format")
    return np.array([sample.truth.size.width, sample.truth.size.height], dtype=np.float64)


def _labels(folder: Path, names: tuple[str, ...]) -> dict[int, int]:
    """The label of each class number."""
    path = folder / CLASSES_FILE
    if not path.exists():
        return {label: label for label in range(len(names))}
    listed = [line.decode(errors="backslashreplace").strip() for _, block in line_blocks(path, "DET") for line in block]
    return {number: names.index(name) for number, name in enumerate(filter(None, listed)) if name in names}
