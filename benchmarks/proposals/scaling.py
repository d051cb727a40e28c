"""How time and memory grow with pixels; each measurement has a process of its own, as peaks never fall."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from googlenet_rcnn.cli.markdown import markdown

MEGAPIXELS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0)


def measure_scaling(names: Sequence[str], megapixels: Sequence[float], out: Path) -> str:
    """Measures the engines at each size, at the image's own width and at the default one; writes scaling.json."""
    # Nothing heavy may be imported here: a child's peak begins with what its parent had.
    rows = []
    for name in names:
        _child(name, min(megapixels), own_width=False)  # compiles, if that is still to do
        for own_width in (True, False):
            for size in megapixels:
                row = _child(name, size, own_width)
                rows.append(row)
                print(f"{name}, {size} megapixels: {row['seconds']:.3f} s", file=sys.stderr, flush=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / "scaling.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    head = [
        "engine, working width",
        "megapixels",
        "worked on",
        "seconds",
        "of processor",
        "per working MP",
        "boxes",
        "peak MiB",
        "added MiB",
    ]
    return markdown(head, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> list[str]:
    working = row["working_megapixels"]
    processor = row["processor_seconds"]
    times = [f"{working:.3f}", f"{row['seconds']:.3f}", f"{processor:.3f}", f"{processor / working:.3f}"]
    memory = [f"{row['peak_mib']:.0f}", f"{row['added_mib']:.0f}"]
    width = "own" if row["own_width"] else "default"
    return [f"{row['engine']}, {width}", f"{row['megapixels']:g}", *times, str(row["boxes"]), *memory]


def _child(name: str, megapixels: float, own_width: bool) -> dict[str, Any]:
    run = str(Path(__file__).with_name("run.py"))
    command = [
        sys.executable,
        run,
        "--one",
        str(megapixels),
        "--engines",
        name,
        *(["--own-width"] if own_width else []),
    ]
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    row: dict[str, Any] = json.loads(finished.stdout)
    return row


def measure_one(name: str, megapixels: float, own_width: bool) -> dict[str, Any]:
    """One engine on one picture in this process: seconds, boxes, peak memory and what the picture added to it."""
    import cv2
    import numpy as np
    import pictures
    from engines import build

    from googlenet_rcnn.proposals.working import working_image

    cv2.setNumThreads(1)
    image = pictures.tiled(megapixels) if own_width else pictures.resized(megapixels)
    engine: Any = build(name, image.shape[1] if own_width else None)
    build(name).propose(np.zeros((40, 60, 3), dtype=np.uint8))
    working = working_image(image, engine.width)
    before = _peak_mib()
    processor, begin = time.process_time(), time.perf_counter()
    proposals = engine.propose(image)
    seconds, processor_seconds = time.perf_counter() - begin, time.process_time() - processor
    return {
        "engine": name,
        "own_width": own_width,
        "megapixels": megapixels,
        "working_megapixels": working.shape[0] * working.shape[1] / 1e6,
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "boxes": len(proposals),
        "peak_mib": _peak_mib(),
        "added_mib": _peak_mib() - before,
    }


def _peak_mib() -> float:
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
