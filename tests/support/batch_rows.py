"""The rows of `detect` read back from the parts of a batch, and pictures to make them from."""

from pathlib import Path
from typing import Any

import numpy as np
from hostile import encoded, write

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90))


def batch_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows in the order of the inputs, without times; an input that is missing or there twice is an error."""
    import pyarrow.parquet

    found: dict[int, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.parquet")):
        seen: set[int] = set()
        for line in pyarrow.parquet.read_table(path).to_pylist():
            number = line["input"]
            assert number not in found or number in seen, f"input {number} is in two parts"
            seen.add(number)
            row = found.setdefault(number, _image(line))
            if line["label"] is not None:
                box = [line[name] for name in ("x1", "y1", "x2", "y2")]
                row["detections"].append({"label": line["label"], "score": line["score"], "box": box})
    assert sorted(found) == list(range(len(found)))
    return [found[number] for number in sorted(found)]


def _image(line: dict[str, Any]) -> dict[str, Any]:
    failed = line["status"] == "failed"
    names = ("image_id", "path", "status", *(("code", "message") if failed else ("width", "height", "proposals")))
    row = {"schema": 1} | {name: line[name] for name in names} | {"detections": []}
    return row | ({"warnings": line["warnings"]} if line["warnings"] else {})


def draw_pictures(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Pictures of one colour with stripes of another, some of them empty files or of another suffix."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(count):
        height, width = generator.integers(12, 40, 2)
        pixels = np.full((height, width, 3), COLOURS[generator.integers(4)], np.uint8)
        pixels[:: generator.integers(2, 9), :] = COLOURS[generator.integers(4)]
        name, content = f"{index:04d}.png", encoded(pixels, "PNG")
        if index % 11 == 7:
            content = b""
        if index % 13 == 5:
            name = f"{index:04d}.jpg"  # a warning: the content is PNG
        paths.append(write(folder, name, content))
    return paths
