"""Our own result file: one JSON object an image and line; boxes in it are half-open already."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.json_columns import json_keys, json_numbers
from googlenet_rcnn.eval.output_file import new_file
from googlenet_rcnn.eval.result_columns import ResultColumns, Results
from googlenet_rcnn.eval.text_lines import line_blocks

__all__ = ["ImageLine", "read_image_lines", "read_jsonl", "write_jsonl"]

_BATCH = 1 << 12  # rows that become columns at a time, as lists of Python numbers are ten times as large


class ImageLine(NamedTuple):
    """One image's object as it stands in the file, with schema, image id and status checked."""

    line: int
    image_id: str
    failed: bool
    content: dict[str, Any]


def read_jsonl(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads our own detections file; a failed row is an image in which nothing was found."""
    path = Path(path)
    columns = ResultColumns(path, dataset)
    lines: dict[str, int] = {}
    failed, batch = 0, _Batch(path)
    for row in read_image_lines(path, "DET"):
        where = f"{path}:{row.line}"
        if row.image_id in lines:
            raise DataError(
                "DUPLICATE_ID", f"{where}: image {row.image_id!r} is also on line {lines[row.image_id]}; keep one"
            )
        lines[row.image_id] = row.line
        detections = row.content.get("detections")
        if not isinstance(detections, list):
            raise DataError("DET_SCHEMA", f"{where}: detections must be a list")
        if row.failed:
            failed += row.image_id in columns.images
            continue
        batch.add(row, detections)
        if len(batch.names) >= _BATCH:
            batch.move_to(columns)
            batch = _Batch(path)
    batch.move_to(columns)
    return columns.results(ignore_unknown, failed, lines)


class _Batch:
    """Detections of some lines as lists of JSON values, not checked yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts: list[int] = []
        self._lines: list[int] = []
        self._images: list[str] = []
        self.names: list[Any] = []
        self._scores: list[Any] = []
        self._boxes: list[Any] = []

    def add(self, row: ImageLine, detections: list[Any]) -> None:
        self._starts.append(len(self.names))
        self._lines.append(row.line)
        try:
            self.names += [one["label"] for one in detections]
            self._scores += [one["score"] for one in detections]
            self._boxes += [one["box"] for one in detections]
        except (KeyError, TypeError):
            fields = {"label", "score", "box"}
            wrong = next(i for i, one in enumerate(detections) if not (isinstance(one, dict) and fields <= one.keys()))
            reason = "expected an object with a label, a score and a box"
            raise DataError("DET_SCHEMA", f"{self._path}:{row.line}: detections[{wrong}]: {reason}") from None
        self._images += [row.image_id] * len(detections)

    def move_to(self, columns: ResultColumns) -> None:
        names = json_keys(self.names, str, self._where, "label")
        score, boxes = json_numbers(self._scores, self._boxes, self._where, "box")
        columns.add(self._images, names, score, boxes, self._where)

    def _where(self, row: int) -> str:
        place = bisect_right(self._starts, row) - 1
        return f"{self._path}:{self._lines[place]}: detections[{row - self._starts[place]}]"


def write_jsonl(table: DetectionTable, dataset: Dataset, path: str | Path, overwrite: bool = False) -> None:
    """Writes an object for every image, in the order of the data set; numbers keep every digit."""
    order = np.argsort(table.image_index, kind="stable")
    rows_of = np.split(order, np.searchsorted(table.image_index[order], np.arange(len(dataset.samples))))[1:]
    names = dataset.labels.names
    with new_file(Path(path), overwrite) as stream:
        for sample, rows in zip(dataset.samples, rows_of, strict=True):
            size = {} if sample.truth is None else sample.truth.size._asdict()
            values = zip(*(column[rows].tolist() for column in (table.label, table.score, table.boxes)), strict=True)
            content = {"schema": 1, "image_id": sample.image_id, "path": str(sample.path), **size, "status": "ok"}
            found = [{"label": names[label], "score": score, "box": box} for label, score, box in values]
            stream.write(json.dumps(content | {"detections": found}, separators=(",", ":")) + "\n")


def read_image_lines(path: Path, code: str) -> Iterator[ImageLine]:
    """Yields the lines of a file of one object an image; errors have codes that begin with `code`."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    for first, lines in line_blocks(path, code):
        for number, line in enumerate(lines, start=first):
            if line.strip():
                yield _image_line(decoder, line, number, path, code)


def _image_line(decoder: json.JSONDecoder, line: bytes, number: int, path: Path, code: str) -> ImageLine:
    where = f"{path}:{number}"
    try:
        content = decoder.decode(line.decode())
    except (ValueError, RecursionError) as error:
        if not line.endswith(b"\n"):
            reason = "the last line is torn, the run was interrupted; let it finish or remove the line"
        else:
            reason = f"not JSON ({' '.join(str(error).split())[:80]})"
        raise DataError(f"{code}_PARSE", f"{where}: {reason}") from None
    if not isinstance(content, dict) or content.get("schema") != 1:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise DataError(f"{code}_SCHEMA", f"{where}: expected an object with schema 1, found {found!r}")
    image_id, status = content.get("image_id"), content.get("status")
    if not isinstance(image_id, str) or not image_id:
        raise DataError(f"{code}_SCHEMA", f"{where}: image_id must be text, found {image_id!r}")
    if status not in ("ok", "failed"):
        raise DataError(f"{code}_SCHEMA", f"{where}: status must be ok or failed, found {status!r}")
    return ImageLine(number, image_id, status == "failed", content)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
