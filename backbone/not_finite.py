"""What is said, and kept for whoever looks into it, where a loss or gradient is no number."""

import math
from collections.abc import Sequence
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.store import write_json

from .processes import Processes

__all__ = ["NotFinite", "all_finite", "not_finite"]


class NotFinite(DataError):
    """Loss or gradient stopped being a number; nothing of that step was kept."""


def all_finite(norm: float, losses: dict[str, float]) -> bool:
    """Whether a step's gradient and losses are numbers."""
    return math.isfinite(norm) and all(map(math.isfinite, losses.values()))


def not_finite(
    folder: Path, processes: Processes, step: int, rate: float, norm: float, losses: dict[str, float],
    names: Sequence[str], hint: str,
) -> NotFinite:  # fmt: skip
    """The error for a step, whose facts are written to not-finite.json; each process has the names of its share."""
    path = folder / ("not-finite.json" if processes.first else f"not-finite-{processes.rank}.json")
    facts = {"step": step, "rate": rate, "norm": repr(norm), "loss": {k: repr(v) for k, v in losses.items()}}
    write_json(path, facts | {"batch": list(names)})
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return NotFinite(
        "NOT_FINITE",
        f"step {step}: loss or gradient is not finite at rate {rate:.3g} (batch: {shown}; all in {path}); "
        f"look at those images or {hint}",
    )
