"""Lists of JSON values as checked columns: in bulk, and one by one only to say which value is wrong."""

from collections.abc import Callable
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError

__all__ = ["json_keys", "json_numbers"]

Key = TypeVar("Key", str, int)


def json_keys(values: list[Any], kind: type[Key], where: Callable[[int], str], field: str) -> list[Key]:
    """The values, all of one kind; DataError (DET_SCHEMA) with the path of the first that is not."""
    if not set(map(type, values)) <= {kind}:
        row = next(row for row, value in enumerate(values) if type(value) is not kind)
        expected = "text" if kind is str else "a whole number"
        raise DataError("DET_SCHEMA", f"{where(row)}.{field}: expected {expected}, found {str(values[row])[:40]!r}")
    return values


def json_numbers(
    scores: list[Any], boxes: list[Any], where: Callable[[int], str], field: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores [N] and boxes [N,4] from JSON numbers; DataError with the path of the first value that is none.

    `field` is what the file calls a box. An integer too large for a float counts as not finite.
    """
    lists = set(map(type, boxes)) <= {list} and set(map(len, boxes)) <= {4}
    if lists and {*map(type, scores), *map(type, chain.from_iterable(boxes))} <= {int, float}:
        try:
            flat = np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes))
            return np.array(scores, dtype=np.float64), flat.reshape(-1, 4)
        except OverflowError:
            pass
    for row, (score, box) in enumerate(zip(scores, boxes, strict=True)):
        if not isinstance(box, list) or len(box) != 4:
            raise DataError("DET_SCHEMA", f"{where(row)}.{field}: expected 4 numbers, found {str(box)[:60]}")
        _check_number(score, f"{where(row)}.score")
        for place, value in enumerate(box):
            _check_number(value, f"{where(row)}.{field}[{place}]")
    raise AssertionError("every value is a number")


def _check_number(value: Any, where: str) -> None:
    if type(value) not in (int, float):
        raise DataError("DET_SCHEMA", f"{where}: expected a number, found {str(value)[:40]!r}")
    try:
        float(value)
    except OverflowError:
        raise DataError("DET_NOT_FINITE", f"{where}: expected a finite number") from None
