"""Images that a Parquet table names in its column `path`, or holds in its column `bytes`."""

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.eval.parquet_results import load_pyarrow

from ..inputs import ImageFile

__all__ = ["BatchImage", "expand_tables", "image_files", "is_table", "table_images"]

_ROWS_AT_A_TIME = 16
"""Embedded images read at a time: memory follows the size of a few images, not that of a row group."""


class BatchImage(NamedTuple):
    """An image of a batch: its id and path as given; if it names a table, its bytes are in that row of it."""

    image_id: str
    path: str
    table: str | None = None
    row: int = 0


def is_table(argument: str) -> bool:
    """Whether an argument means Parquet tables rather than images."""
    return argument.lower().endswith(".parquet")


def expand_tables(argument: str) -> list[str]:
    """The tables that a file, a glob or a folder called `*.parquet` means; DataError (NO_IMAGES) if there is none."""
    if os.path.isfile(argument):
        return [argument]
    pattern = os.path.join(glob.escape(argument), "*.parquet") if os.path.isdir(argument) else argument
    if found := sorted(glob.glob(pattern, recursive=True)):
        return [table for match in found for table in expand_tables(match)]
    raise DataError("NO_IMAGES", f"no table is, or matches, {argument}")


def table_images(table: str) -> Iterator[BatchImage]:
    """The images of a table, in order, named by its column `image_id` if it has one.

    DataError (TABLE_SCHEMA) for a table that has neither `bytes`, `path` nor a single column of paths.
    """
    arrow, _ = load_pyarrow()
    with _opened(table) as source:
        names = source.schema_arrow.names
        embedded = "bytes" in names
        place = names[0] if len(names) == 1 and not embedded else "path"
        if not embedded and place not in names:
            shown = ", ".join(names)[:200]
            raise DataError("TABLE_SCHEMA", f"{table}: images need a column path or bytes; its columns are {shown}")
        if embedded and not _is_binary(source.schema_arrow.field("bytes").type):
            raise DataError("TABLE_SCHEMA", f"{table}: the column bytes must hold image files, as binary")
        wanted = [name for name in ("image_id", place) if name in names]
        row = 0
        for group in range(source.num_row_groups):
            if not wanted:
                size = source.metadata.row_group(group).num_rows
                yield from (_named(table, one, embedded, None, None) for one in range(row, row + size))
                row += size
            for batch in source.iter_batches(row_groups=[group], columns=wanted) if wanted else ():
                texts = {name: batch.column(name).cast(arrow.string()).to_pylist() for name in wanted}
                nothing = [None] * batch.num_rows
                for image_id, path in zip(texts.get("image_id", nothing), texts.get(place, nothing), strict=True):
                    yield _named(table, row, embedded, image_id, path)
                    row += 1


def image_files(images: Iterable[BatchImage]) -> Iterator[ImageFile]:
    """The images as `detect` takes them, in order; rows of a table must come in ascending order.

    DataError (TABLE_UNREADABLE, TABLE_CHANGED) if a table is no longer what it was.
    """
    for table, group in groupby(images, key=lambda image: image.table):
        if table is None:
            yield from (ImageFile(image.image_id, image.path) for image in group)
        else:
            held = list(group)
            data = _embedded(table, [image.row for image in held])
            for image, content in zip(held, data, strict=True):
                yield ImageFile(image.image_id, image.path, content)


def _embedded(table: str, rows: list[int]) -> Iterator[bytes]:
    wanted = iter(rows)
    row = next(wanted)
    with _opened(table) as source:
        first = 0
        for group in range(source.num_row_groups):
            size = source.metadata.row_group(group).num_rows
            if row < first + size:
                at = first
                for batch in source.iter_batches(_ROWS_AT_A_TIME, row_groups=[group], columns=["bytes"]):
                    while at <= row < at + batch.num_rows:
                        yield batch.column(0)[row - at].as_py() or b""
                        if (after := next(wanted, None)) is None:
                            return
                        row = after
                    at += batch.num_rows
            first += size
    raise DataError("TABLE_CHANGED", f"{table} has no row {row} any more: start again with --overwrite")


def _named(table: str, row: int, embedded: bool, image_id: str | None, path: str | None) -> BatchImage:
    """An image of a row; without a path of its own, embedded bytes are called by table and row."""
    if not embedded:
        path = path or ""  # the row of a null path fails, as a file that is not there does
        return BatchImage(image_id or Path(path).stem, path)
    image_id = image_id or (Path(path).stem if path else f"{Path(table).stem}/{row}")
    return BatchImage(image_id, path or f"{table}#{row}", table, row)


def _is_binary(kind: Any) -> bool:
    arrow, _ = load_pyarrow()
    return any(test(kind) for test in (arrow.types.is_binary, arrow.types.is_large_binary))


@contextmanager
def _opened(table: str) -> Iterator[Any]:
    """A Parquet file; what pyarrow says against it becomes one line."""
    arrow, parquet = load_pyarrow()
    try:
        with parquet.ParquetFile(table) as source:
            yield source
    except (OSError, arrow.ArrowException) as error:
        shown = " ".join(str(error).split())[:120]
        raise DataError("TABLE_UNREADABLE", f"{table}: not a whole Parquet table of images ({shown})") from None
