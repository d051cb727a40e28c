"""COCO results: a JSON list of `image_id, category_id, bbox, score`, where a bbox is x y width height."""

import json
from collections.abc import Callable
from itertools import starmap
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.json_columns import json_keys, json_numbers
from googlenet_rcnn.eval.numbering import class_ids, coco_image_ids
from googlenet_rcnn.eval.output_file import new_file
from googlenet_rcnn.eval.result_columns import ResultColumns, Results

__all__ = ["coco_names_path", "read_coco_results", "write_coco_names", "write_coco_results"]

_MAX_BYTES = 2**30  # JSON is read whole
_BATCH = 1 << 12
_FIELDS = ("image_id", "category_id", "bbox", "score")
_fields = itemgetter(*_FIELDS)


def read_coco_results(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads a results file; what its numbers mean is said by the data set, or by `*.images.json` beside it.

    An image without a row counts as missing. A negative width or height is an error.
    """
    path = Path(path)
    images, labels = _names(path, dataset)
    rows = _Rows(path, ResultColumns(path, dataset, images, labels))
    try:
        content = _json(path, rows.add)
    except KeyError:  # an object lacks a field: a segmentation within a row, or a row that is wrong
        rows = _Rows(path, ResultColumns(path, dataset, images, labels))
        content = _json(path)
        if isinstance(content, dict) and "annotations" in content:
            raise DataError("DET_SCHEMA", f"{path}: these are annotations; results are a list of detections") from None
        for place, row in enumerate(content if isinstance(content, list) else ()):
            missing = [name for name in _FIELDS if not isinstance(row, dict) or name not in row]
            if missing:
                raise DataError("DET_SCHEMA", f"{path}: [{place}]: {', '.join(missing)} is missing") from None
            rows.add(row)
    rows.flush()
    if not isinstance(content, list) or len(content) != rows.count or any(isinstance(one, list) for one in content):
        raise DataError("DET_SCHEMA", f"{path}: expected a list of objects with {', '.join(_FIELDS)}")
    return rows.columns.results(ignore_unknown)


class _Rows:
    """Rows on their way into columns: as dictionaries all at once they would take ten times the memory."""

    def __init__(self, path: Path, columns: ResultColumns) -> None:
        self.columns = columns
        self.count = 0
        self._path = path
        self._batch: list[tuple[Any, ...]] = []

    def add(self, row: dict[str, Any]) -> None:
        self._batch.append(_fields(row))
        if len(self._batch) == _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self._batch:
            return
        image_ids, category_ids, bboxes, scores = map(list, zip(*self._batch, strict=True))
        json_keys(image_ids, int, self._where, "image_id")
        json_keys(category_ids, int, self._where, "category_id")
        score, boxes = json_numbers(scores, bboxes, self._where, "bbox")
        negative = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
        if negative.size:
            row = int(negative[0])
            shown = f"{self._where(row)}.bbox: x y width height must not have a negative side, found {bboxes[row]}"
            raise DataError("DET_NEGATIVE_SIDE", shown)
        boxes[:, 2:] += boxes[:, :2]
        self.columns.add(image_ids, category_ids, score, boxes, self._where)
        self.count += len(self._batch)
        self._batch.clear()

    def _where(self, row: int) -> str:
        return f"{self._path}: [{self.count + row}]"


def write_coco_results(table: DetectionTable, dataset: Dataset, path: str | Path, overwrite: bool = False) -> None:
    """Writes the list in the order of the table, a row a line; numbers keep every digit."""
    images, labels = coco_image_ids(dataset), class_ids(dataset.labels)
    bboxes = np.hstack([table.boxes[:, :2], table.boxes[:, 2:] - table.boxes[:, :2]])
    columns = (table.image_index.tolist(), table.label.tolist(), bboxes.tolist(), table.score.tolist())

    def line(image: int, label: int, bbox: list[float], score: float) -> str:
        return f'{{"image_id":{images[image]},"category_id":{labels[label]},"bbox":{bbox},"score":{score}}}'

    with new_file(Path(path), overwrite) as stream:
        separator = "[\n"
        for text in starmap(line, zip(*columns, strict=True)):
            stream.write(separator + text)
            separator = ",\n"
        stream.write("\n]\n" if len(table) else "[]\n")


def coco_names_path(path: Path) -> Path:
    """Where the names to a results file's numbers stand: `results.images.json` for `results.json`."""
    return path.with_name(path.name.removesuffix(".json") + ".images.json")


def write_coco_names(dataset: Dataset, path: Path) -> None:
    """Writes, beside a results file, which image and class each of its numbers means."""
    samples, categories = dataset.samples, zip(class_ids(dataset.labels), dataset.labels.names, strict=True)
    content = {
        "images": [
            {"id": number, "image_id": sample.image_id, "file_name": str(sample.path)}
            for number, sample in zip(coco_image_ids(dataset), samples, strict=True)
        ],
        "categories": [{"id": number, "name": name} for number, name in categories],
    }
    write_json(coco_names_path(path), content)


def _names(path: Path, dataset: Dataset) -> tuple[dict[Any, int], dict[Any, int]]:
    """Index of each image number and label of each category number."""
    beside = coco_names_path(path)
    images = {number: index for index, number in enumerate(coco_image_ids(dataset))}
    labels = {number: label for label, number in enumerate(class_ids(dataset.labels))}
    if not beside.exists():
        return images, labels
    content = _json(beside)
    own_images = {sample.image_id: index for index, sample in enumerate(dataset.samples)}
    own_labels = {name: label for label, name in enumerate(dataset.labels.names)}
    try:
        named = {one["id"]: own_images[one["image_id"]] for one in content["images"] if one["image_id"] in own_images}
        classes = {one["id"]: own_labels[one["name"]] for one in content["categories"] if one["name"] in own_labels}
    except (KeyError, TypeError):
        reason = "expected images (id, image_id) and categories (id, name), as detect writes them"
        raise DataError("DET_SCHEMA", f"{beside}: {reason}; mend or remove it") from None
    return named, classes


def _json(path: Path, take: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """The content of a JSON file, where `take` leaves None of each object; an empty file is an empty list."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DataError("DET_UNREADABLE", f"{path}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise DataError("DET_PARSE", f"{path}: more than {_MAX_BYTES} bytes; use JSON lines for so many rows")
    try:
        text = data.decode("utf-8-sig")
        del data
        return json.loads(text, object_hook=take) if text.strip() else []
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise DataError("DET_PARSE", f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError("DET_PARSE", f"{path}:{error.lineno}:{error.colno}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
        reason = " ".join(str(error).split())[:80]
        raise DataError("DET_PARSE", f"{path}: not JSON that can be read ({reason})") from None
