"""What a training run depends on beside the settings of its stages, kept in its folder as origin.json."""

import json
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import write_json

from .processes import Processes

__all__ = ["settle_origin"]


def settle_origin(out: Path, now: dict[str, Any], resume: bool, processes: Processes) -> None:
    """Notes what a new run in `out` depends on; UsageError (RESUME_DIFFERS) if a resumed one does not agree with it."""
    path = out / "origin.json"
    if resume and path.exists():
        try:
            then = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise UsageError("RESUME_DIFFERS", f"{path} cannot be read: choose a new --out") from None
        if different := [name for name, value in now.items() if then.get(name) != value]:
            raise UsageError(
                "RESUME_DIFFERS",
                f"{out} was begun with other {', '.join(different)}: use its settings or a new --out",
            )
    elif processes.first:
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, now)
