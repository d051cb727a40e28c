"""YOLO text trees from any data set."""

from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Dataset, GroundTruth
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.text_writer import write_text
from googlenet_rcnn.datasets.writable import writable

__all__ = ["write_yolo"]


def write_yolo(dataset: Dataset, folder: Path, split: str, overwrite: bool = False) -> list[Finding]:
    """Writes data.yaml and labels/SPLIT below `folder`; the images are looked for in images/SPLIT.

    The format cannot say that an object is to be ignored: those are written like all others and reported.
    """
    target = folder / "labels" / split
    pairs = writable(dataset, target, overwrite)
    names = folder / "data.yaml"
    content = _yaml(dataset.labels.names)
    if names.exists() and not overwrite and names.read_text(encoding="utf-8") != content:
        raise UsageError("OUT_EXISTS", f"{names} lists other classes: choose another place or say --overwrite")
    write_text(names, content)
    target.mkdir(parents=True, exist_ok=True)
    for sample, truth in pairs:
        write_text(target / f"{sample.image_id}.txt", _lines(truth))
    ignored = sum(int(truth.ignore.sum()) for _, truth in pairs)
    message = "objects to ignore (difficult, crowd) became ordinary ones; remove them if that matters"
    return [Finding("IGNORE_LOST", str(target), f"{ignored} boxes", message)] if ignored else []


def _yaml(names: tuple[str, ...]) -> str:
    if odd := [name for name in names if not name.isprintable()]:
        raise DataError("CLASS_UNWRITABLE", f"class {odd[0]!r} has characters that YAML does not keep; rename it")
    quoted = (name.replace("'", "''") for name in names)
    rows = "".join(f"  {number}: '{name}'\n" for number, name in enumerate(quoted))
    return f"path: .\ntrain: images/train\nval: images/val\nnames:\n{rows}"


def _lines(truth: GroundTruth) -> str:
    boxes = truth.boxes.coordinates.astype(np.float64)
    size = np.array((truth.size.width, truth.size.height))
    shares = np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2 / size, (boxes[:, 2:] - boxes[:, :2]) / size])
    rows = zip(truth.labels.tolist(), shares.tolist(), strict=True)
    return "".join(f"{label} {' '.join(f'{share:.8g}' for share in row)}\n" for label, row in rows)
