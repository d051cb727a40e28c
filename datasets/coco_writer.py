"""COCO instances files from any data set."""

from pathlib import Path
from typing import Any

from googlenet_rcnn.core.boxes import area
from googlenet_rcnn.core.store import storage_error, write_json
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets.writable import writable

__all__ = ["write_coco"]


def write_coco(dataset: Dataset, path: Path, overwrite: bool = False) -> None:
    """Writes an instances file; images are named by their ids, objects to ignore are crowds.

    Images and categories keep the numbers they came with; other numbers, and those of annotations, count from 1.
    """
    pairs = writable(dataset, path, overwrite)
    numbers = [sample.number for sample, _ in pairs]
    if None in numbers or len(set(numbers)) != len(numbers):
        numbers = list(range(1, len(pairs) + 1))
    categories = dataset.labels.ids or range(1, len(dataset.labels) + 1)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (sample, truth) in zip(numbers, pairs, strict=True):
        height, width = truth.size
        name = f"{sample.image_id}{sample.path.suffix or '.jpg'}"
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        areas = area(truth.boxes.coordinates) if truth.areas is None else truth.areas
        columns = (truth.boxes.coordinates.tolist(), truth.labels.tolist(), truth.ignore.tolist(), areas.tolist())
        for (x1, y1, x2, y2), label, ignore, square in zip(*columns, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": categories[label],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": square,
                    "iscrowd": int(ignore),
                }
            )
    named = [{"id": one, "name": name} for one, name in zip(categories, dataset.labels.names, strict=True)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
    write_json(path, {"images": images, "annotations": annotations, "categories": named})
