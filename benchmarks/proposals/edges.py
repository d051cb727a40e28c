"""Engines on degenerate pictures: seconds, boxes, and whether what comes out is in order."""

import time
from pathlib import Path

import cv2
import numpy as np
import pictures

from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.core.types import Proposer


def measure_edges(engines: dict[str, Proposer], out: Path) -> str:
    """Runs the engines on every picture, writes edges.json and gives the table.

    In order: at least one box, none twice, all inside the image, and a second run gives equal bytes.
    """
    cv2.setNumThreads(1)
    for engine in engines.values():
        engine.propose(np.zeros((40, 60, 3), dtype=np.uint8))
    rows = []
    for picture, image in pictures.edges():
        for name, engine in engines.items():
            begin = time.perf_counter()
            found = engine.propose(image)  # boxes outside the image would be refused here
            seconds = time.perf_counter() - begin
            boxes = found.boxes.coordinates
            again = engine.propose(image).boxes.coordinates
            valid = len(boxes) > 0 and len(np.unique(boxes, axis=0)) == len(boxes) and np.array_equal(boxes, again)
            row = {"picture": picture, "height": image.shape[0], "width": image.shape[1], "engine": name}
            rows.append(row | {"seconds": seconds, "boxes": len(boxes), "valid": bool(valid)})
    write_json(out / "edges.json", rows)
    cells = [
        [f"{row['picture']} ({row['height']} x {row['width']})", str(row["engine"]), f"{row['seconds']:.4f}",
         str(row["boxes"]), "yes" if row["valid"] else "NO"]
        for row in rows
    ]  # fmt: skip
    return markdown(["picture (height x width)", "engine", "seconds", "boxes", "valid"], cells)
