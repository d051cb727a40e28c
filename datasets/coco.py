"""COCO instances files: x, y, width, height become half-open corners; ids of annotations carry no meaning."""

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.types import LabelSet, Sample, Size
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.box_format import suspect_format
from googlenet_rcnn.datasets.coco_fields import CocoFields
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.json_file import read_json

__all__ = ["is_coco", "read_coco"]

_ROBOFLOW = "_annotations.coco.json"
_SHOWN = 8


class _Row(NamedTuple):
    """An annotation with its place in the file's list."""

    place: int
    label: int
    bbox: tuple[float, float, float, float]
    ignore: bool
    area: float


class _Picture(NamedTuple):
    name: str
    number: int
    size: Size | None
    place: int


def is_coco(root: Path) -> bool:
    """Whether this is an instances file, or a folder with some where COCO, CVAT or Roboflow put them.

    A file of another name at the top may hold anything, results for instance, and tells nothing.
    """
    if root.is_file():
        return root.suffix == ".json"
    return any(path.parent != root or path.stem.startswith("instances_") for path in _candidates(root))


def read_coco(root: str | Path, split: str) -> AnnotatedDataset:
    """Reads the instances file of a split below `root`, or `root` itself if it is a file.

    Images stay in the order of the file, those without annotations included. Crowds (and annotations
    marked `ignore`) get `ignore`; areas are kept as annotated. Boxes are clipped, those without area dropped,
    missing fields with a default filled in, each with a finding.
    """
    path = _file(Path(root), split)
    top = CocoFields(path, "", read_json(path))
    labels, label_of = _categories(top)
    findings: list[Finding] = []
    pictures = _pictures(top, findings)
    rows = _annotations(top, pictures, label_of, findings)
    folder = _picture_folder(path, split, next(iter(pictures.values())).name if pictures else "")
    samples = []
    corners, sizes = [np.zeros((0, 4))], [np.zeros((0, 2), dtype=np.int64)]
    for picture in pictures.values():
        mine = rows[picture.number]
        size = picture.size or _size_of(folder / picture.name, path, picture, findings)
        boxes = np.array([row.bbox for row in mine], dtype=np.float64).reshape(-1, 4)
        corners.append(boxes)
        sizes.append(np.tile((size.width, size.height), (len(mine), 1)))
        truth = fit(
            np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
            [row.label for row in mine],
            size,
            str(path),
            lambda row, mine=mine: f"annotations[{mine[row].place}] ({labels.names[mine[row].label]})",  # type: ignore[misc]
            findings,
            ignore=[row.ignore for row in mine],
            areas=[row.area for row in mine],
        )
        image_id = str(PurePosixPath(picture.name).with_suffix(""))
        samples.append(Sample(image_id, folder / picture.name, truth, picture.number))
    everything = np.concatenate(corners)
    if other := suspect_format(everything, np.concatenate(sizes), "x y width height"):
        message = f"they look like {other}; write x y width height in pixels"
        findings.append(Finding("BOX_FORMAT_SUSPECT", str(path), f"{len(everything)} boxes", message))
    return AnnotatedDataset(labels, tuple(samples), tuple(findings))


def _candidates(root: Path) -> list[Path]:
    return sorted([*root.glob("*.json"), *root.glob("annotations/*.json"), *root.glob(f"*/{_ROBOFLOW}")])


def _file(root: Path, split: str) -> Path:
    """The file of a split: that of exactly its name, or else the only one whose name has it as a word."""
    if root.is_file():
        return root
    if not root.is_dir():
        raise DataError("DATA_MISSING", f"{root}: there is no such file or folder; check --data")
    inside(split, root)
    candidates = _candidates(root)
    word = re.compile(rf"(^|[^A-Za-z0-9]){re.escape(split)}([^A-Za-z]|$)")
    exact = [path for path in candidates if path.stem in (split, f"instances_{split}")]
    exact = exact or [path for path in candidates if path.name == _ROBOFLOW and path.parent.name == split]
    named = [path for path in candidates if word.search(path.stem)]
    found = exact or [path for path in named if path.name.startswith("instances_")] or named
    if len(found) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{root}: choose one of {', '.join(map(str, found))} as --data")
    if not found:
        names = ", ".join(str(path.relative_to(root)) for path in candidates) or "none"
        raise DataError("SPLIT_MISSING", f"{root}: no instances file for split {split!r}; there are: {names}")
    return found[0]


def _categories(top: CocoFields) -> tuple[LabelSet, dict[int, int]]:
    """Labels in the order of the file, and the label of each category id."""
    label_of: dict[int, int] = {}
    names: dict[str, str] = {}
    for label, content in enumerate(top.list("categories")):
        fields = CocoFields(top.file, f"categories[{label}]", content)
        number, name = fields.integer("id"), fields.text("name")
        if number in label_of:
            raise DataError("DUPLICATE_ID", f"{fields.where('id')}: {number} is that of another category; mend one")
        if name in names:
            where = f"{fields.where('name')}: {name!r} is also {names[name]}"
            raise DataError("DUPLICATE_CLASS", f"{where}; give both categories one id or two names")
        label_of[number], names[name] = label, fields.place
    if not names:
        raise DataError("ANN_MISSING_FIELD", f"{top.where('categories')} is empty; list the classes")
    return LabelSet(tuple(names), tuple(label_of)), label_of


def _pictures(top: CocoFields, findings: list[Finding]) -> dict[int, _Picture]:
    """Images by their ids, in order; the same image listed twice counts once."""
    found: dict[int, _Picture] = {}
    names: dict[str, str] = {}
    for place, content in enumerate(top.list("images")):
        fields = CocoFields(top.file, f"images[{place}]", content)
        number = fields.integer("id")
        name = inside(fields.text("file_name").removeprefix("./"), fields.where("file_name"))
        if number in found:
            if found[number].name != name:
                other = f"images[{found[number].place}] ({found[number].name})"
                raise DataError("DUPLICATE_ID", f"{fields.where('id')}: {number} is also {other}; give it its own id")
            findings.append(Finding("DUPLICATE_ID", str(top.file), fields.place, f"{name} is listed twice; taken once"))
            continue
        stem = str(PurePosixPath(name).with_suffix(""))
        if stem in names:
            where = fields.where("file_name")
            raise DataError("DUPLICATE_ID", f"{where}: {name} has the same name as {names[stem]}; rename one")
        names[stem] = fields.place
        found[number] = _Picture(name, number, _size(fields), place)
    return found


def _size(fields: CocoFields) -> Size | None:
    if "width" not in fields.content or "height" not in fields.content:
        return None
    size = Size(fields.integer("height"), fields.integer("width"))
    return size if min(size) >= 1 else None


def _size_of(picture_path: Path, path: Path, picture: _Picture, findings: list[Finding]) -> Size:
    """The size of an image whose entry has none that is possible: that of its file."""
    place = f"images[{picture.place}]"
    if not picture_path.is_file():
        raise DataError("SIZE_MISMATCH", f"{path}: {place} has no possible width and height; write the true ones")
    size = image_size(picture_path)
    message = f"no possible width and height; {size.width}x{size.height} was taken from {picture.name}"
    findings.append(Finding("SIZE_MISMATCH", str(path), place, message))
    return size


def _annotations(
    top: CocoFields, pictures: dict[int, _Picture], label_of: dict[int, int], findings: list[Finding]
) -> dict[int, list[_Row]]:
    """Annotations of each image in the order of the file."""
    rows: dict[int, list[_Row]] = {number: [] for number in pictures}
    unknown: dict[str, dict[int, int]] = {"image_id": {}, "category_id": {}}
    lacking: dict[str, list[int]] = {"iscrowd": [], "area": [], "id": []}
    seen: set[int] = set()
    for place, content in enumerate(top.list("annotations")):
        fields = CocoFields(top.file, f"annotations[{place}]", content)
        image, category = fields.integer("image_id"), fields.integer("category_id")
        bbox, ignore, area = fields.bbox(), fields.flag("iscrowd") | fields.flag("ignore"), fields.area()
        number = fields.integer("id") if "id" in fields.content else 0
        for key, missing in (
            ("iscrowd", "iscrowd" not in fields.content), ("area", area is None), ("id", number < 1 or number in seen)
        ):  # fmt: skip
            if missing:
                lacking[key].append(place)
        seen.add(number)
        if image in rows and category in label_of:
            area = bbox[2] * bbox[3] if area is None else area
            rows[image].append(_Row(place, label_of[category], bbox, ignore, area))
        for key, value, known in (("image_id", image, image in rows), ("category_id", category, category in label_of)):
            if not known:
                unknown[key].setdefault(value, place)
    for key, places in unknown.items():
        if places:
            shown = ", ".join(f"{value} (annotations[{place}])" for value, place in list(places.items())[:_SHOWN])
            more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
            listed = "images" if key == "image_id" else "categories"
            message = f"{top.file}: {key} {shown}{more} not in {listed}; add or remove them"
            raise DataError("ANN_UNKNOWN_ID", message)
    taken = {"iscrowd": "0 was taken", "area": "width x height was taken", "id": "new ids from 1 were given"}
    for key, found in lacking.items():
        if found:
            what = "is 0, missing or repeated" if key == "id" else "is missing or no number"
            message = f"{key} {what} in {len(found)} annotations; {taken[key]}"
            findings.append(Finding("ANN_DEFAULTED", str(top.file), f"annotations[{found[0]}].{key}", message, "info"))
    return rows


def _picture_folder(path: Path, split: str, first: str) -> Path:
    """The folder in which the first image lies, or where COCO would have it."""
    base = path.parent.parent if path.parent.name == "annotations" else path.parent
    year = path.stem.removeprefix("instances_")
    homes = [
        path.parent,
        base / year,
        base / split,
        base / "images" / year,
        base / "images" / split,
        base / "images",
        base,
    ]
    default = path.parent if path.name == _ROBOFLOW else base / year
    return next((home for home in homes if first and (home / first).is_file()), default)
