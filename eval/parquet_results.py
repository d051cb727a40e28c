"""Detections as a Parquet table with the columns of the CSV file; needs pyarrow (extra `tables`)."""

from pathlib import Path
from typing import Any

import numpy as np

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.csv_results import COLUMNS
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.output_file import new_file
from googlenet_rcnn.eval.result_columns import ResultColumns, Results

__all__ = ["load_pyarrow", "read_parquet", "write_parquet"]

_OF_BATCH = ("input", "status")


def load_pyarrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; UsageError (EXTRA_MISSING) says how to install them."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        reason = "Parquet needs pyarrow, which is not installed: pip install 'googlenet-rcnn[tables]'"
        raise UsageError("EXTRA_MISSING", f"{reason}, or use csv") from None
    return pyarrow, pyarrow.parquet


def read_parquet(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads a Parquet table, or the tables in a folder; an image without a row counts as missing.

    A table with the columns `input` and `status` is a part of a batch: there an image in which nothing was found, or
    which failed, has a row without a label. DataError (DUPLICATE_ID) for an image that the batch was given twice.
    """
    path = Path(path)
    arrow, parquet = load_pyarrow()
    columns = ResultColumns(path, dataset)
    batch = _BatchImages()
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not parts:
        raise DataError("DET_MISSING", f"{path}: the folder has no Parquet table")
    for part in parts:
        try:
            of_batch = set(_OF_BATCH) <= set(parquet.read_schema(part).names)
            found = parquet.read_table(part, columns=[*COLUMNS, *(_OF_BATCH if of_batch else ())])
            if of_batch:
                batch.add(part, found)
                found = found.filter(found["label"].is_valid())
            texts = [found[name].cast(arrow.string()).to_pylist() for name in COLUMNS[:2]]
            numbers = [found[name].cast(arrow.float64()).to_numpy() for name in COLUMNS[2:]]
        except OSError as error:
            raise DataError("DET_UNREADABLE", f"{part}: {' '.join(str(error).split())[:120]}") from error
        except (arrow.ArrowException, KeyError) as error:
            shown = " ".join(str(error).split())[:120]
            reason = f"not a whole Parquet table with the columns {', '.join(COLUMNS)} ({shown})"
            raise DataError("DET_PARSE", f"{part}: {reason}; write it again") from None
        columns.add(texts[0], texts[1], numbers[0], np.column_stack(numbers[1:]), f"{part}: row {{}}".format)
    failed = len(batch.failed & columns.images.keys())
    return columns.results(ignore_unknown, failed, batch.inputs or None)


class _BatchImages:
    """The images of a batch's parts, with or without detections."""

    def __init__(self) -> None:
        self.inputs: dict[str, int] = {}
        self.failed: set[str] = set()

    def add(self, part: Path, table: Any) -> None:
        """Adds those of one part."""
        rows = table.select(["image_id", "input", "status"]).group_by(["image_id", "input", "status"]).aggregate([])
        for row in rows.to_pylist():
            image_id, number = row["image_id"], row["input"]
            if self.inputs.setdefault(image_id, number) != number:
                reason = f"image {image_id!r} is input {self.inputs[image_id]} and input {number}; keep one"
                raise DataError("DUPLICATE_ID", f"{part}: {reason}")
            if row["status"] == "failed":
                self.failed.add(image_id)


def write_parquet(table: DetectionTable, dataset: Dataset, path: str | Path, overwrite: bool = False) -> None:
    """Writes a row for each detection in the order of the table; numbers keep every digit."""
    arrow, parquet = load_pyarrow()
    ids = [sample.image_id for sample in dataset.samples]
    texts = (
        arrow.DictionaryArray.from_arrays(arrow.array(index, arrow.int32()), arrow.array(names, arrow.string()))
        for index, names in ((table.image_index, ids), (table.label, dataset.labels.names))
    )
    numbers = (arrow.array(column) for column in (table.score, *np.ascontiguousarray(table.boxes.T)))
    with new_file(Path(path), overwrite, "wb") as stream:
        parquet.write_table(arrow.table(dict(zip(COLUMNS, (*texts, *numbers), strict=True))), stream)
