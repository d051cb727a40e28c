"""Lines of a result file, checked one by one; boxes in it are half-open already."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from googlenet_rcnn.core.errors import DataError

__all__ = ["DetectionRow", "ImageLine", "read_image_lines", "read_rows"]


class ImageLine(NamedTuple):
    """One image's object as it stands in the file, with schema, image id and status checked."""

    line: int
    image_id: str
    failed: bool
    content: dict[str, Any]


@dataclass(frozen=True)
class DetectionRow:
    """One image: detections as (label name, score, x1 y1 x2 y2), and the line it stands on."""

    line: int
    image_id: str
    failed: bool
    detections: tuple[tuple[str, float, tuple[float, float, float, float]], ...]


def read_rows(path: Path) -> Iterator[DetectionRow]:
    """Yields the rows of a detections file in order; DataError names the line of the first wrong one."""
    for line, image_id, failed, content in read_image_lines(path, "DET"):
        where, detections = f"{path}:{line}", content.get("detections")
        if not isinstance(detections, list):
            raise DataError("DET_SCHEMA", f"{where}: detections must be a list")
        found = tuple(_detection(one, f"{where}: detections[{place}]") for place, one in enumerate(detections))
        yield DetectionRow(line, image_id, failed, () if failed else found)


def read_image_lines(path: Path, code: str) -> Iterator[ImageLine]:
    """Yields the lines of a file of one object an image; errors have codes that begin with `code`."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _image_line(line, number, path, code)
    except OSError as error:
        raise DataError(f"{code}_UNREADABLE", f"{path}: {error.strerror}") from error


def _image_line(line: bytes, number: int, path: Path, code: str) -> ImageLine:
    where = f"{path}:{number}"
    try:
        content = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse)
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


def _detection(one: Any, where: str) -> tuple[str, float, tuple[float, float, float, float]]:
    if not isinstance(one, dict) or not isinstance(one.get("label"), str):
        raise DataError("DET_SCHEMA", f"{where}: expected an object with a label, a score and a box")
    box = one.get("box")
    if not isinstance(box, list) or len(box) != 4:
        raise DataError("DET_SCHEMA", f"{where}.box: expected 4 numbers x1 y1 x2 y2, found {str(box)[:60]}")
    x1, y1, x2, y2 = (_number(value, f"{where}.box") for value in box)
    return one["label"], _number(one.get("score"), f"{where}.score"), (x1, y1, x2, y2)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError("DET_SCHEMA", f"{where}: expected a number, found {str(value)[:40]!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DataError("DET_NOT_FINITE", f"{where}: expected a finite number")
    return number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
