"""Fields of a JSON file of annotations, each checked where it stands: errors carry their JSON path."""

import math
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["JsonFields", "finite", "shown"]


class JsonFields:
    """One object of a file, at `place` such as `annotations[3]`."""

    def __init__(self, file: Path, place: str, content: Any) -> None:
        self.file, self.place = file, place
        if not isinstance(content, dict):
            raise AnnotationError("ANN_BAD_FIELD", file, place, f"expected an object, found {shown(content)}")
        self.content: dict[str, Any] = content

    def path(self, key: str) -> str:
        """JSON path of a field."""
        return f"{self.place}{'.' if self.place else ''}{key}"

    def error(self, code: str, key: str, reason: str) -> AnnotationError:
        """The error for a field."""
        return AnnotationError(code, self.file, self.path(key), reason)

    def required(self, key: str) -> Any:
        """A field that may not lack."""
        if key not in self.content:
            raise self.error("ANN_MISSING_FIELD", key, "missing; add it")
        return self.content[key]

    def bad(self, key: str, expected: str) -> DataError:
        """The error for a field of another kind."""
        return self.error("ANN_BAD_FIELD", key, f"{shown(self.content.get(key))} was found; write {expected}")

    def list(self, key: str) -> list[Any]:
        """A required list."""
        value = self.required(key)
        if not isinstance(value, list):
            raise self.bad(key, "a list")
        return value

    def text(self, key: str) -> str:
        """A required text that is not blank, without blanks around it."""
        value = self.required(key)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(key, "a name in quotes")
        return value.strip()

    def integer(self, key: str) -> int:
        """A required whole number."""
        value = self.required(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.bad(key, "a whole number without quotes")
        return value

    def number(self, key: str) -> float:
        """A required finite number."""
        value = self.required(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.bad(key, "a number")
        if not finite(value):
            raise self.error("ANN_BAD_NUMBER", key, "not finite; write the true number")
        return float(value)

    def object(self, key: str) -> "JsonFields":
        """A required object."""
        return JsonFields(self.file, self.path(key), self.required(key))


def finite(value: float) -> bool:
    """Whether a number of JSON, which may be a whole one of any length, is finite as a float."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def shown(value: Any) -> str:
    """A value as messages show it."""
    return repr(value)[:60]
