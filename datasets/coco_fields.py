"""Fields of a COCO instances file, each checked where it stands: errors carry their JSON path."""

import math
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import DataError

__all__ = ["CocoFields"]


class CocoFields:
    """One object of the file, at `place` such as `annotations[3]`."""

    def __init__(self, file: Path, place: str, content: Any) -> None:
        self.file, self.place = file, place
        if not isinstance(content, dict):
            raise DataError("ANN_BAD_FIELD", f"{self.where()}: expected an object, found {_shown(content)}")
        self.content: dict[str, Any] = content

    def where(self, key: str = "") -> str:
        """File and JSON path of a field."""
        return f"{self.file}: {self.place}{'.' if self.place and key else ''}{key}"

    def _required(self, key: str) -> Any:
        if key not in self.content:
            raise DataError("ANN_MISSING_FIELD", f"{self.where(key)} is missing; add it")
        return self.content[key]

    def bad(self, key: str, expected: str) -> DataError:
        """The error for a field of another kind."""
        return DataError("ANN_BAD_FIELD", f"{self.where(key)} is {_shown(self.content.get(key))}; write {expected}")

    def list(self, key: str) -> list[Any]:
        """A required list."""
        value = self._required(key)
        if not isinstance(value, list):
            raise self.bad(key, "a list")
        return value

    def text(self, key: str) -> str:
        """A required text that is not blank, without blanks around it."""
        value = self._required(key)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(key, "a name in quotes")
        return value.strip()

    def integer(self, key: str) -> int:
        """A required whole number."""
        value = self._required(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.bad(key, "a whole number without quotes")
        return value

    def flag(self, key: str) -> bool:
        """0, 1, true or false; a missing flag is false."""
        value = self.content.get(key, 0)
        if not isinstance(value, int) or value not in (0, 1):
            raise self.bad(key, "0 or 1")
        return bool(value)

    def bbox(self) -> tuple[float, float, float, float]:
        """x, y, width and height, finite, the last two not negative."""
        value = self._required("bbox")
        if not isinstance(value, list) or len(value) != 4:
            raise self.bad("bbox", "four numbers: x y width height")
        for place, one in enumerate(value):
            if isinstance(one, bool) or not isinstance(one, int | float):
                raise DataError("ANN_BAD_FIELD", f"{self.where(f'bbox[{place}]')} is {_shown(one)}; write a number")
            if not finite(one):
                raise DataError("ANN_BAD_NUMBER", f"{self.where(f'bbox[{place}]')} is not finite; write the true one")
        if value[2] < 0 or value[3] < 0:
            raise DataError("BOX_NEGATIVE", f"{self.where('bbox')} is {value}; width and height are at least 0")
        x, y, width, height = map(float, value)
        return x, y, width, height

    def area(self) -> float | None:
        """Square pixels of the outline; None where there is no usable number: it is missing or a list of several."""
        value = self.content.get("area")
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not finite(value) or value < 0:
            raise self.bad("area", "a number of square pixels")
        return float(value)


def finite(value: float) -> bool:
    """Whether a number of JSON, which may be a whole one of any length, is finite as a float."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    return repr(value)[:60]
