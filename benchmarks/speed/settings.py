"""What the parts of the benchmark are told, and what each gives back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Part", "Settings"]


@dataclass(frozen=True)
class Settings:
    """Pictures, the model, threads, and how long to measure; `few` and `many` images, whose difference is timed."""

    pictures: tuple[Path, ...]
    folder: Path
    weights: str = "voc07"
    threads: int = 1
    seconds: float = 60.0
    rounds: int = 3
    few: int = 12
    many: int = 36
    largest: bool = True
    """Whether the growth is followed up to its largest sizes."""

    @property
    def flags(self) -> list[str]:
        """Flags that every run of `detect` has in common."""
        return ["--weights", self.weights, "--threads", str(self.threads)]


@dataclass(frozen=True)
class Part:
    """A part's tables as Markdown and its measurements as JSON."""

    text: str
    content: dict[str, Any] = field(default_factory=dict)
