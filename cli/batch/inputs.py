"""The images of a batch run, written down once in the order that decides which part holds which image."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.eval.parquet_results import load_pyarrow

from ..inputs import find_images
from .tables import BatchImage, expand_tables, is_table, table_images

__all__ = ["InputList", "batch_images", "read_block", "write_inputs"]

_COLUMNS = ("image_id", "path", "table", "row")


class InputList(NamedTuple):
    """What was written down: how many images, how many blocks, and a SHA-256 over all ids and places."""

    images: int
    blocks: int
    digest: str


def batch_images(arguments: Sequence[str]) -> Iterator[BatchImage]:
    """The images that arguments name, in order: whatever `detect` takes, and Parquet tables of images.

    Errors are those of `find_images` and `table_images`.
    """
    if not arguments:
        find_images(arguments)
    for tables, group in groupby(arguments, key=is_table):
        if tables:
            for argument in group:
                for table in expand_tables(argument):
                    yield from table_images(table)
        else:
            yield from (BatchImage(file.image_id, file.path) for file in find_images(group))


def write_inputs(path: Path, images: Iterable[BatchImage], block: int) -> InputList:
    """Writes the images as an Arrow file with so many in each record batch: batch k is what part k covers."""
    arrow, _ = load_pyarrow()
    raw = arrow.binary()  # a path may hold bytes that are no UTF-8
    schema = arrow.schema(list(zip(_COLUMNS, (raw, raw, raw, arrow.int64()), strict=True)))
    options = arrow.ipc.IpcWriteOptions(compression="zstd")
    images = iter(images)
    count = blocks = 0
    seen = hashlib.sha256()
    with atomic_file(path) as stream, arrow.ipc.new_file(stream, schema, options=options) as writer:
        while group := [_raw(image) for image in islice(images, block)]:
            for row in group:
                seen.update(repr(row).encode())
            columns = zip(*group, strict=True)
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_batch(arrow.record_batch(arrays, schema=schema))
            count += len(group)
            blocks += 1
    return InputList(count, blocks, seen.hexdigest())


def read_block(path: Path, index: int) -> list[BatchImage]:
    """The images of one record batch of the file that `write_inputs` has left."""
    arrow, _ = load_pyarrow()
    with arrow.memory_map(str(path)) as source, arrow.ipc.open_file(source) as reader:
        columns = reader.get_batch(index).to_pydict()
    rows = zip(*(columns[name] for name in _COLUMNS), strict=True)
    return [BatchImage(os.fsdecode(one), os.fsdecode(path), _decoded(table), row) for one, path, table, row in rows]


def _raw(image: BatchImage) -> tuple[bytes, bytes, bytes | None, int]:
    table = None if image.table is None else os.fsencode(image.table)
    return os.fsencode(image.image_id), os.fsencode(image.path), table, image.row


def _decoded(table: bytes | None) -> str | None:
    return None if table is None else os.fsdecode(table)
