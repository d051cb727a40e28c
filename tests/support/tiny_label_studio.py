"""Label Studio's exports of a few made-up images."""

import json

SIZED = {"original_width": 200, "original_height": 100}


def rectangle(labels=("cat",), x=10.0, y=20.0, width=30.0, height=40.0, kind="rectanglelabels", **more):
    """A result on an image 200 wide and 100 high."""
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, kind: list(labels)} | more
    return {"type": kind, "value": value, "from_name": "l", "id": "q", **SIZED}


def task(*results, image="/data/upload/1/0a1b2c3d-a.jpg", **more):
    """A task that one person annotated."""
    return {"id": 1, "data": {"image": image}, "annotations": [{"id": 9, "result": list(results)} | more]}


def export(folder, *tasks):
    """Writes the export and returns it."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "export.json").write_text(json.dumps(list(tasks)))
    return folder / "export.json"
