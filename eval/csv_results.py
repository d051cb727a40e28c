"""Detections as CSV with a header; boxes are half-open pixels."""

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.output_file import new_file
from googlenet_rcnn.eval.result_columns import ResultColumns, Results

__all__ = ["COLUMNS", "read_csv", "write_csv"]

COLUMNS = ("image_id", "label", "score", "x1", "y1", "x2", "y2")
_BATCH = 1 << 12
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""Beginnings of a text cell that a spreadsheet would run as a formula, and the mark itself, to undo it."""


def read_csv(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads a CSV file; an image without a row counts as missing."""
    path = Path(path)
    columns = ResultColumns(path, dataset)
    for lines, rows in _batches(path):

        def where(row: int, lines: list[int] = lines) -> str:
            return f"{path}:{lines[row]}"

        wrong = next((row for row, cells in enumerate(rows) if len(cells) != len(COLUMNS)), None)
        if wrong is not None:
            raise DataError("DET_PARSE", f"{where(wrong)}: {len(rows[wrong])} cells; a row is {','.join(COLUMNS)}")
        image_ids, labels, *cells = zip(*rows, strict=True)
        try:
            numbers = np.array([list(map(float, column)) for column in cells]).T
        except ValueError:
            raise _not_a_number(rows, where) from None
        columns.add(list(map(_plain, image_ids)), list(map(_plain, labels)), numbers[:, 0], numbers[:, 1:], where)
    return columns.results(ignore_unknown)


def write_csv(table: DetectionTable, dataset: Dataset, path: str | Path, overwrite: bool = False) -> None:
    """Writes a row for each detection in the order of the table; numbers keep every digit.

    A text cell that a spreadsheet would take for a formula begins with an apostrophe, which reading takes off.
    """
    images = [_escaped(sample.image_id) for sample in dataset.samples]
    labels = [_escaped(name) for name in dataset.labels.names]
    values = np.column_stack([table.score, table.boxes]).tolist()
    with new_file(Path(path), overwrite) as stream:
        writer = csv.writer(stream)  # lines end as RFC 4180 says, and cells with either end are quoted
        writer.writerow(COLUMNS)
        for image, label, row in zip(table.image_index.tolist(), table.label.tolist(), values, strict=True):
            writer.writerow((images[image], labels[label], *row))


def _batches(path: Path) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Yields rows with the line that each ends on, without the header and empty lines."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, list(COLUMNS))
            if tuple(cell.strip() for cell in header) != COLUMNS:
                raise DataError("DET_SCHEMA", f"{path}:1: the header must be {','.join(COLUMNS)}")
            numbered = ((reader.line_num, row) for row in reader if row)
            while batch := list(islice(numbered, _BATCH)):
                lines, rows = map(list, zip(*batch, strict=True))
                yield lines, rows
    except OSError as error:
        raise DataError("DET_UNREADABLE", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError("DET_PARSE", f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except csv.Error as error:
        raise DataError("DET_PARSE", f"{path}:{reader.line_num}: not CSV ({error})") from None


def _not_a_number(rows: list[list[str]], where: Callable[[int], str]) -> DataError:
    for row, cells in enumerate(rows):
        for name, cell in zip(COLUMNS[2:], cells[2:], strict=True):
            try:
                float(cell)
            except ValueError:
                return DataError("DET_PARSE", f"{where(row)}: {name} is {cell[:40]!r}, not a number")
    raise AssertionError("every cell is a number")


def _escaped(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
