"""ILSVRC DET submission text: half-open boxes become 0-based inclusive corners here, and back."""

from pathlib import Path

import numpy as np

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.numbering import class_ids, image_numbers
from googlenet_rcnn.eval.output_file import new_file
from googlenet_rcnn.eval.result_columns import ResultColumns, Results
from googlenet_rcnn.eval.text_lines import text_rows

__all__ = ["ILSVRC_ROW", "read_ilsvrc", "write_ilsvrc"]

ILSVRC_ROW = "image_number det_id score xmin ymin xmax ymax"
_HALF_OPEN = np.array([0.0, 0.0, 1.0, 1.0])
"""What is added to corners that count from 0 and belong to the box to have a half-open box."""


def read_ilsvrc(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads a submission, whose rows count as written, also outside the image or with xmax < xmin.

    An image without a row counts as missing.
    """
    path = Path(path)
    images = {number: index for index, number in enumerate(image_numbers(dataset))}
    labels = {number: label for label, number in enumerate(class_ids(dataset.labels))}
    columns = ResultColumns(path, dataset, images, labels)
    for rows in text_rows(path, ILSVRC_ROW):
        boxes = rows.floats(3, 4, 5, 6) + _HALF_OPEN
        columns.add(rows.integers(0), rows.integers(1), rows.floats(2)[:, 0], boxes, rows.where)
    return columns.results(ignore_unknown)


def write_ilsvrc(table: DetectionTable, dataset: Dataset, path: str | Path, overwrite: bool = False) -> None:
    """Writes a row for each detection in the order of the table."""
    images, labels = image_numbers(dataset), class_ids(dataset.labels)
    values = np.column_stack([table.score, table.boxes - _HALF_OPEN]).tolist()
    with new_file(Path(path), overwrite) as stream:
        for image, label, row in zip(table.image_index.tolist(), table.label.tolist(), values, strict=True):
            # Nine digits tell any two float32 scores apart, as evaluation ranks by them; a hundredth of a pixel
            # is far below what moves a match, and submissions were uploaded.
            stream.write(f"{images[image]} {labels[label]} " + "{:.9g} {:.2f} {:.2f} {:.2f} {:.2f}\n".format(*row))
