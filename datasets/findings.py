"""What a reader noticed about annotations and mended on the way."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One oddity: a stable code, the file and the place in it, and what was done about it."""

    code: str
    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.file}: {self.place}: {self.message}"
