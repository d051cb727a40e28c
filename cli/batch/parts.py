"""A part of a batch: the rows of its images as one Parquet table, which is whole and there, or not there at all.

An image has a row for each detection, or one without a label where nothing was found or the image failed.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.eval.parquet_results import load_pyarrow

__all__ = ["PartSummary", "part_path", "part_schema", "read_summary", "settings_mark", "total", "write_part"]

_KEY = b"googlenet_rcnn"
_KEPT = ("image_id", "path", "status", "code", "message", "width", "height", "proposals")
"""Fields of a row of `detect` that are columns of the same name."""


class PartSummary(NamedTuple):
    """What is in a part: images, failed ones, detections, and how often each code of a failure."""

    images: int
    failed: int
    detections: int
    codes: dict[str, int]


def part_path(folder: Path, index: int) -> Path:
    """Where a part lies once it is whole."""
    return folder / f"part-{index:07d}.parquet"


def settings_mark(settings: dict[str, Any]) -> str:
    """A SHA-256 of settings, which every part carries."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def part_schema() -> Any:
    """The columns of a part; `input` is the image's place among all inputs, so that a doubled name stays two images."""
    arrow, _ = load_pyarrow()
    text, count, real = arrow.string(), arrow.int32(), arrow.float64()
    name = arrow.dictionary(count, text)
    columns = {
        "input": arrow.int64(), "image_id": text, "label": name, "score": real,
        "x1": real, "y1": real, "x2": real, "y2": real,
        "path": text, "status": name, "code": name, "message": text, "width": count, "height": count,
        "proposals": count, "ms": arrow.map_(text, real), "warnings": arrow.list_(text),
    }  # fmt: skip
    return arrow.schema(list(columns.items()))


def write_part(folder: Path, index: int, mark: str, first: int, rows: Sequence[dict[str, Any]]) -> PartSummary:
    """Writes the rows that `detect` would give, those of the inputs from number `first` on; says what is in them."""
    arrow, parquet = load_pyarrow()
    failed = Counter(row["code"] for row in rows if row["status"] == "failed")
    found = sum(len(row["detections"]) for row in rows)
    summary = PartSummary(len(rows), failed.total(), found, dict(sorted(failed.items())))
    schema = part_schema()
    lines = list(_lines(first, rows))
    arrays = [arrow.array([line.get(field.name) for line in lines], field.type) for field in schema]
    note = {_KEY: json.dumps({"mark": mark, "part": index} | summary._asdict())}
    table = arrow.Table.from_arrays(arrays, schema=schema).replace_schema_metadata(note)
    with atomic_file(part_path(folder, index)) as stream:
        parquet.write_table(table, stream, compression="zstd")
    return summary


def read_summary(folder: Path, index: int, mark: str) -> PartSummary | None:
    """What is in a part, None if it is absent, torn, or of other settings: then it has to be made again."""
    arrow, parquet = load_pyarrow()
    with suppress(OSError, arrow.ArrowException, ValueError, KeyError, TypeError):
        note = json.loads(parquet.read_schema(part_path(folder, index)).metadata[_KEY])
        if (note.pop("mark"), note.pop("part")) == (mark, index):
            return PartSummary(**note)
    return None


def total(parts: Iterable[PartSummary]) -> PartSummary:
    """The sum over parts."""
    images = failed = detections = 0
    codes: Counter[str] = Counter()
    for part in parts:
        images, failed, detections = images + part.images, failed + part.failed, detections + part.detections
        codes.update(part.codes)
    return PartSummary(images, failed, detections, dict(sorted(codes.items())))


def _lines(first: int, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The cells of each line by column."""
    for number, row in enumerate(rows, start=first):
        image = {"input": number, "warnings": row.get("warnings", []), "ms": list(row.get("ms", {}).items())}
        image |= {name: row[name] for name in _KEPT if name in row}
        for one in row["detections"]:
            box = dict(zip(("x1", "y1", "x2", "y2"), one["box"], strict=True))
            yield image | {"label": one["label"], "score": one["score"]} | box
        if not row["detections"]:
            yield image
