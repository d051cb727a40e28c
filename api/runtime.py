"""How the networks of a command are run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.threads import available_threads

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.engine import Engine, Part

__all__ = ["Runtime"]


@dataclass(frozen=True)
class Runtime:
    """The flags `--runtime` and `--threads` (None: all available); `say` is told what takes long and what is chosen.

    UsageError (RUNTIME_UNKNOWN) lists the known ones.
    """

    name: str = "auto"
    threads: int | None = None
    say: Callable[[str], None] = lambda message: None

    def __post_init__(self) -> None:
        from googlenet_rcnn.backbone.engine_choice import RUNTIMES

        if self.name not in RUNTIMES:
            raise UsageError("RUNTIME_UNKNOWN", f"runtime {self.name}: known are {', '.join(RUNTIMES)}")

    @property
    def processors(self) -> int:
        """Threads of each engine."""
        return self.threads or available_threads()

    def engine(self, path: Path, part: "Part" = "scores", side: int | None = None) -> "Engine":
        """The engine of a part of the network in a file; ModelError if it cannot be had."""
        from googlenet_rcnn.backbone.shared_engine import shared_engine

        return shared_engine(path, part, self.name, side, self.processors, self.say)
