"""COCO instances files of a few made-up images."""

import json
from pathlib import Path


def instances(annotations=(), images=2, categories=("cat", "dog")) -> dict:
    """The content of a file: images 200 wide and 100 high with ids from 10, categories with ids from 3."""
    return {
        "images": [
            {"id": 10 + index, "file_name": f"{index:06d}.jpg", "width": 200, "height": 100} for index in range(images)
        ],
        "categories": [{"id": 3 + index, "name": name} for index, name in enumerate(categories)],
        "annotations": list(annotations),
    }


def thing(number=1, bbox=(10, 20, 30, 40), image=10, category=3, **fields) -> dict:
    """One annotation with all its fields; a field given as `...` is left out."""
    whole = {"id": number, "image_id": image, "category_id": category, "bbox": bbox, "area": 1200, "iscrowd": 0}
    return {key: value for key, value in (whole | fields).items() if value is not ...}


def write_instances(root: Path, content: object, name: str = "annotations/instances_train2017.json") -> Path:
    """Writes a file below `root` and returns `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return root
