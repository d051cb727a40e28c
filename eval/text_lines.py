"""Text files taken in blocks of whole lines: quick for many rows, bounded in memory, each line with its number."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, count
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError

__all__ = ["TextRows", "line_blocks", "text_rows"]

_BLOCK = 2**19
_LONGEST = 64 * 2**20  # bytes of a line; an image with half a million detections stays below


@dataclass(frozen=True)
class TextRows:
    """Rows of words, as columns; `form` says how a row looks, such as `image_id score x1 y1 x2 y2`."""

    path: Path
    form: str
    lines: Sequence[int]
    columns: Sequence[Sequence[bytes]]

    def where(self, row: int) -> str:
        """File and line of a row."""
        return f"{self.path}:{self.lines[row]}"

    def integers(self, column: int) -> list[int]:
        """A column as whole numbers; DataError (DET_PARSE) names the line of one that is not."""
        try:
            return list(map(int, self.columns[column]))
        except ValueError:
            self._refuse(column, int, "whole number")

    def floats(self, *columns: int) -> NDArray[np.float64]:
        """Columns as numbers [N,columns]; DataError (DET_PARSE) names the line of a word that is no number."""
        found = np.empty((len(self.lines), len(columns)))
        for place, column in enumerate(columns):
            words = self.columns[column]
            try:
                found[:, place] = list(map(float, words))
            except ValueError:
                self._refuse(column, float, "number")
        return found

    def _refuse(self, column: int, kind: type[int] | type[float], what: str) -> NoReturn:
        for row, word in enumerate(self.columns[column]):
            try:
                kind(word)
            except ValueError:
                name, shown = self.form.split()[column], word[:40].decode(errors="backslashreplace")
                reason = f"{name} is {shown!r}, not a {what}; a row is `{self.form}`"
                raise DataError("DET_PARSE", f"{self.where(row)}: {reason}") from None
        raise AssertionError("every word is a number")


def text_rows(path: Path, form: str) -> Iterator[TextRows]:
    """Yields the rows of a text file, block by block, leaving out blank lines.

    DataError (DET_PARSE) names the first line that has more or fewer words than `form`.
    """
    width = len(form.split())
    for first, lines in line_blocks(path, "DET"):
        rows = list(map(bytes.split, lines))
        numbers = list(compress(count(first), rows))
        rows = list(filter(None, rows))
        if not set(map(len, rows)) <= {width}:
            row = next(row for row, words in enumerate(rows) if len(words) != width)
            shown = b" ".join(rows[row])[:60].decode(errors="backslashreplace")
            raise DataError("DET_PARSE", f"{path}:{numbers[row]}: a row is `{form}`, this is {shown!r}")
        if rows:
            yield TextRows(path, form, numbers, list(zip(*rows, strict=True)))


def line_blocks(path: Path, code: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yields lists of lines, ends kept, each with the number of its first line; a byte order mark is left out.

    Errors have codes that begin with `code`: a file that cannot be read, is UTF-16, or has a line without end.
    """
    try:
        with path.open("rb") as file:
            first = 1
            while block := file.read(_BLOCK):
                tail = file.readline(_LONGEST)
                if len(tail) == _LONGEST and not tail.endswith(b"\n"):
                    raise DataError(f"{code}_PARSE", f"{path}: a line is longer than {_LONGEST} bytes; this is no rows")
                block += tail
                if first == 1:
                    if block.startswith((b"\xff\xfe", b"\xfe\xff")):
                        raise DataError(f"{code}_PARSE", f"{path}:1: the file is UTF-16; save it as UTF-8")
                    block = block.removeprefix(b"\xef\xbb\xbf")
                lines = io.BytesIO(block).readlines()
                yield first, lines
                first += len(lines)
    except OSError as error:
        raise DataError(f"{code}_UNREADABLE", f"{path}: {error.strerror}") from error
