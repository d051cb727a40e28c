"""VOC result files, a text file a class: half-open boxes become 1-based inclusive corners here, and back."""

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.output_file import new_file, refuse_existing
from googlenet_rcnn.eval.result_columns import ResultColumns, Results
from googlenet_rcnn.eval.text_lines import text_rows

__all__ = ["read_comp4", "write_comp4"]

_INCLUSIVE = np.array([1.0, 1.0, 0.0, 0.0])
"""What is added to a half-open box to have corners that count from 1 and belong to the box."""


def read_comp4(folder: str | Path, dataset: Dataset, split: str | None = None, ignore_unknown: bool = False) -> Results:
    """Reads VOC result files `comp4_det_SPLIT_CLASS.txt`, where corners are 1-based and inclusive.

    A class without a file has no detections; an image without a row counts as missing.
    """
    folder = Path(folder)
    images = {sample.image_id.encode(): index for index, sample in enumerate(dataset.samples)}
    columns = ResultColumns(folder, dataset, images)
    for name, path in _class_files(folder, dataset.labels.names, split).items():
        for rows in text_rows(path, "image_id score x1 y1 x2 y2"):
            boxes = rows.floats(2, 3, 4, 5) - _INCLUSIVE
            names = list(repeat(name, len(boxes)))
            columns.add(rows.columns[0], names, rows.floats(1)[:, 0], boxes, rows.where)
    return columns.results(ignore_unknown)


def write_comp4(
    table: DetectionTable, dataset: Dataset, folder: str | Path, split: str = "images", overwrite: bool = False
) -> list[Path]:
    """Writes `comp4_det_SPLIT_CLASS.txt` for every class, empty ones too, and returns the paths.

    Rows go by image and then by falling score. A file is there in full or not at all.
    """
    folder = Path(folder)
    names = [sample.image_id for sample in dataset.samples]
    for name in names:
        if not name or name.split() != [name]:
            raise DataError("ID_HAS_SPACE", f"image id {name!r} cannot stand in a VOC result file; rename it")
    paths = [folder / f"comp4_det_{split}_{label}.txt" for label in dataset.labels.names]
    for path in paths:
        refuse_existing(path, overwrite)
    order = np.lexsort((-table.score, table.image_index))
    corners = table.boxes + _INCLUSIVE
    for label, path in enumerate(paths):
        rows = order[table.label[order] == label]
        values = np.column_stack([table.score[rows], corners[rows]]).tolist()
        with new_file(path, overwrite) as stream:
            for image, row in zip(table.image_index[rows].tolist(), values, strict=True):
                # Nine digits tell any two float32 scores apart, so that the file makes no ties.
                stream.write(f"{names[image]} " + "{:.9g} {:.9g} {:.9g} {:.9g} {:.9g}\n".format(*row))
    return paths


def _class_files(folder: Path, names: Sequence[str], split: str | None) -> dict[str, Path]:
    """The result file of each class name, of names that are not in the data set too."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("comp[34]_*.txt")):
        rest = path.stem[len("comp4_") :].removeprefix("det_")
        # The longest name wins: `..._dining_table` is not the file of a class `table`.
        fitting = [name for name in names if rest == name or rest.endswith(f"_{name}")]
        name = max(fitting, key=len) if fitting else rest.removeprefix(f"{split}_").rpartition("_")[2]
        if split is not None and rest not in (name, f"{split}_{name}"):
            continue
        if name in found:
            both = f"{found[name].name} and {path.name}"
            raise DataError("DET_AMBIGUOUS", f"{folder}: {both} are both of class {name}; name the split")
        found[name] = path
    if not found:
        wanted = f"comp4_det_{split or 'SPLIT'}_{names[0]}.txt"
        raise DataError("DET_MISSING", f"{folder}: there is no result file such as {wanted}")
    return found
