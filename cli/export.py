"""`export`: a checkpoint in, one ONNX file out, for use elsewhere."""

import re
import sys
from pathlib import Path
from typing import get_args

from googlenet_rcnn.core.errors import ProjectError, UsageError
from googlenet_rcnn.core.store import atomic_file

__all__ = ["run_export"]


def run_export(
    weights: str,
    out: Path,
    *,
    part: str = "scores",
    side: str = "224",
    quantised: bool = False,
    overwrite: bool = False,
) -> None:
    """Writes a part of a model for inputs of a side ("448") or sides ("256x512"); UsageError for others."""
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.backbone.engine import Part
    from googlenet_rcnn.backbone.engine_source import EngineSource

    chosen: Part | None = next((name for name in get_args(Part) if name == part), None)
    if chosen is None:
        raise UsageError("FLAG_VALUE", f"--part is {', '.join(get_args(Part))}; got {part}")
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", side)
    if found is None:
        raise UsageError("FLAG_VALUE", f"--side is a number of pixels or HEIGHTxWIDTH, got {side}")
    if out.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{out} is there already: choose another --out or say --overwrite")
    source = EngineSource(find_weights(weights))
    try:
        graph = source.graph(chosen, (int(found[1]), int(found[2] or found[1])), quantised=quantised)
    except ValueError as error:
        if isinstance(error, ProjectError):
            raise
        raise UsageError("FLAG_VALUE", f"--side {side}: {error}") from None
    with atomic_file(out) as stream:
        stream.write(graph)
    kind = "int8" if quantised else "float32"
    print(f"wrote {out}: {source.card.arch}, {part}, {kind}, {len(graph) / 1e6:.1f} MB", file=sys.stderr)
