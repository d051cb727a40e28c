"""What a training run depends on beside the settings of its stages, kept in its folder as origin.json."""

import json
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import write_json

from .processes import Processes
from .resuming import Resume, refuse_different

__all__ = ["settle_origin"]


def settle_origin(out: Path, now: dict[str, Any], resume: Resume, processes: Processes) -> None:
    """Notes what a run in `out` depends on; UsageError (RESUME_DIFFERS) if a resumed one does not agree with it."""
    path = out / "origin.json"
    if resume == Resume.SAME and path.exists():
        try:
            then = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise UsageError("RESUME_DIFFERS", f"{path} cannot be read: choose a new --out") from None
        refuse_different(out, then, json.loads(json.dumps(now)), resume)
    elif processes.first:
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, now)
