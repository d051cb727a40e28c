"""Detections as VOC result files: half-open boxes become 1-based inclusive corners here."""

from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable

__all__ = ["write_comp4"]


def write_comp4(
    table: DetectionTable, dataset: Dataset, folder: str | Path, split: str, overwrite: bool = False
) -> list[Path]:
    """Writes `comp4_det_SPLIT_CLASS.txt` for every class, empty ones too, and returns the paths.

    Rows go by image and then by falling score. A file is there in full or not at all.
    """
    folder = Path(folder)
    names = [sample.image_id for sample in dataset.samples]
    for name in names:
        if not name or name.split() != [name]:
            raise DataError("ID_HAS_SPACE", f"image id {name!r} cannot stand in a VOC result file; rename it")
    paths = [folder / f"comp4_det_{split}_{label}.txt" for label in dataset.labels.names]
    for path in paths:
        if path.exists() and not overwrite:
            raise UsageError("OUT_EXISTS", f"{path} is already there; give another folder or --overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    order = np.lexsort((-table.score, table.image_index))
    corners = table.boxes + np.array([1.0, 1.0, 0.0, 0.0])
    for label, path in enumerate(paths):
        rows = order[table.label[order] == label]
        lines = (
            f"{names[table.image_index[row]]} " + " ".join(f"{v:.9g}" for v in (table.score[row], *corners[row]))
            for row in rows
        )
        with atomic_file(path, "w") as stream:
            stream.writelines(f"{line}\n" for line in lines)
    return paths
