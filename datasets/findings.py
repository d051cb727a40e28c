"""What was noticed about annotations, and what was done about it."""

from dataclasses import dataclass
from typing import Literal

from googlenet_rcnn.core.errors import DataError

__all__ = ["AnnotationError", "Finding", "Findings", "located"]


@dataclass(frozen=True)
class Finding:
    """One oddity: a stable code, the file and the place in it, and what was done or is to be done about it."""

    code: str
    file: str
    place: str
    message: str
    level: Literal["info", "warning", "error"] = "warning"

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.file, self.place, self.message) if part)

    @classmethod
    def of(cls, error: DataError, file: object = "") -> "Finding":
        """The finding that an error means; `file` stands where the error itself names none."""
        if isinstance(error, AnnotationError):
            return cls(error.code, error.file, error.place, error.reason, "error")
        return cls(error.code, str(file), "", error.message.removeprefix(f"{file}: "), "error")


def located(file: str, place: str) -> str:
    """A file and the place in it, `file:12` for a line, as editors and compilers write it."""
    number = place.removeprefix("line ")
    return f"{file}:{number}" if number != place else ": ".join(part for part in (file, place) if part)


class AnnotationError(DataError):
    """A fault at a place in a file: `line 12`, `line 12:5`, a JSON path or an object."""

    def __init__(self, code: str, file: object, place: str, reason: str) -> None:
        super().__init__(code, f"{located(str(file), place)}: {reason}")
        self.file, self.place, self.reason = str(file), place, reason

    def __reduce__(self) -> tuple[type["AnnotationError"], tuple[str, str, str, str]]:  # type: ignore[override]
        return type(self), (self.code, self.file, self.place, self.reason)


class Findings(list[Finding]):
    """Findings in the order they were met; an error ends the reading, or is `collected` as one more of them."""

    def __init__(self, collected: bool = False) -> None:
        super().__init__()
        self.collected = collected
        self.refused = 0
        """Errors that were collected."""

    def refuse(self, error: DataError) -> None:
        """Raises an error, or notes it and lets the reading go on."""
        with self.guard():
            raise error

    def guard(self, file: object = "") -> "_Guard":
        """A block that an error about `file` ends, and no more than that where errors are collected."""
        return _Guard(self, file)


@dataclass(frozen=True)
class _Guard:
    findings: Findings
    file: object

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, DataError) or not self.findings.collected:
            return False
        self.findings.refused += 1
        self.findings.append(Finding.of(error, self.file))
        return True
