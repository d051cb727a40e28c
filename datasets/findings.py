"""What was noticed about annotations, and what was done about it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding"]


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
