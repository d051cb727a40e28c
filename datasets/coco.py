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
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.json_file import read_json

__all__ = ["coco_splits", "is_coco", "read_coco"]

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


def coco_splits(root: Path) -> list[str]:
    """Names of the instances files that are there, without what COCO puts around them."""
    if root.is_file():
        return [root.stem]
    candidates = _candidates(root)
    instances = [path for path in candidates if path.name == _ROBOFLOW or path.name.startswith("instances_")]
    return [
        path.parent.name if path.name == _ROBOFLOW else path.stem.removeprefix("instances_")
        for path in instances or candidates
    ]


def read_coco(root: str | Path, split: str, findings: Findings | None = None) -> AnnotatedDataset:
    """Reads the instances file of a split below `root`, or `root` itself if it is a file.

    Images stay in the order of the file, those without annotations included. Crowds (and annotations
    marked `ignore`) get `ignore`; areas are kept as annotated. Boxes are clipped, those without area dropped,
    missing fields with a default filled in, each with a finding.
    """
    path = _file(Path(root), split)
    top = CocoFields(path, "", read_json(path))
    findings = Findings() if findings is None else findings
    labels, label_of = _categories(top, findings)
    pictures = _pictures(top, findings)
    rows = _annotations(top, pictures, label_of, findings)
    folder = _picture_folder(path, split, next(iter(pictures.values())).name if pictures else "")
    samples = []
    corners, sizes = [np.zeros((0, 4))], [np.zeros((0, 2), dtype=np.int64)]
    for picture in pictures.values():
        mine, whole = rows[picture.number]
        size = picture.size
        with findings.guard(path):
            size = size or _size_of(folder / picture.name, path, picture, findings)
        if size is None:
            continue
        boxes = np.array([row.bbox for row in mine], dtype=np.float64).reshape(-1, 4)
        corners.append(boxes)
        sizes.append(np.tile((size.width, size.height), (len(mine), 1)))
        refused = findings.refused
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
        whole = whole and findings.refused == refused
        samples.append(Sample(image_id, folder / picture.name, truth, picture.number, whole))
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


def _categories(top: CocoFields, findings: Findings) -> tuple[LabelSet, dict[int, int]]:
    """Labels in the order of the file, and the label of each category id; a name that is there twice is one label."""
    label_of: dict[int, int] = {}
    names: dict[str, str] = {}
    for place, content in enumerate(top.list("categories")):
        with findings.guard(top.file):
            fields = CocoFields(top.file, f"categories[{place}]", content)
            number, name = fields.integer("id"), fields.text("name")
            if number in label_of:
                raise fields.error("DUPLICATE_ID", "id", f"{number} is that of another category; mend one")
            if name in names:
                reason = f"{name!r} is also {names[name]}; give both categories one id or two names"
                findings.refuse(fields.error("DUPLICATE_CLASS", "name", reason))
            names.setdefault(name, fields.place)
            label_of[number] = list(names).index(name)
    if not names:
        raise AnnotationError("ANN_MISSING_FIELD", top.file, "categories", "empty; list the classes")
    ids = {label: number for number, label in reversed(label_of.items())}
    return LabelSet(tuple(names), tuple(ids[label] for label in range(len(names)))), label_of


def _pictures(top: CocoFields, findings: Findings) -> dict[int, _Picture]:
    """Images by their ids, in order; the same image listed twice counts once."""
    found: dict[int, _Picture] = {}
    names: dict[str, str] = {}
    for place, content in enumerate(top.list("images")):
        with findings.guard(top.file):
            fields = CocoFields(top.file, f"images[{place}]", content)
            number = fields.integer("id")
            name = inside(fields.text("file_name").removeprefix("./"), top.file, fields.path("file_name"))
            if number in found:
                if found[number].name != name:
                    other = f"images[{found[number].place}] ({found[number].name})"
                    raise fields.error("DUPLICATE_ID", "id", f"{number} is also {other}; give it its own id")
                message = f"{name} is listed twice; taken once"
                findings.append(Finding("DUPLICATE_ID", str(top.file), fields.place, message))
                continue
            stem = str(PurePosixPath(name).with_suffix(""))
            if stem in names:
                reason = f"{name} has the same name as {names[stem]}; rename one"
                raise fields.error("DUPLICATE_ID", "file_name", reason)
            found[number] = _Picture(name, number, _size(fields), place)
            names[stem] = fields.place
    return found


def _size(fields: CocoFields) -> Size | None:
    if "width" not in fields.content or "height" not in fields.content:
        return None
    size = Size(fields.integer("height"), fields.integer("width"))
    return size if min(size) >= 1 else None


def _size_of(picture_path: Path, path: Path, picture: _Picture, findings: Findings) -> Size:
    """The size of an image whose entry has none that is possible: that of its file."""
    place = f"images[{picture.place}]"
    if not picture_path.is_file():
        raise AnnotationError("SIZE_MISMATCH", path, place, "no possible width and height; write the true ones")
    size = image_size(picture_path)
    message = f"no possible width and height; {size.width}x{size.height} was taken from {picture.name}"
    findings.append(Finding("SIZE_MISMATCH", str(path), place, message))
    return size


def _annotations(
    top: CocoFields, pictures: dict[int, _Picture], label_of: dict[int, int], findings: Findings
) -> dict[int, tuple[list[_Row], bool]]:
    """Annotations of each image in the order of the file, and whether all of them could be read."""
    rows: dict[int, list[_Row]] = {number: [] for number in pictures}
    torn: set[int] = set()
    unknown: dict[str, dict[int, int]] = {"image_id": {}, "category_id": {}}
    lacking: dict[str, list[int]] = {"iscrowd": [], "area": [], "id": []}
    seen: set[int] = set()
    for place, content in enumerate(top.list("annotations")):
        refused, image = findings.refused, -1
        with findings.guard(top.file):
            fields = CocoFields(top.file, f"annotations[{place}]", content)
            image, category = fields.integer("image_id"), fields.integer("category_id")
            if image not in rows:
                unknown["image_id"].setdefault(image, place)
            if category not in label_of:
                unknown["category_id"].setdefault(category, place)
            bbox, ignore, area = fields.bbox(), fields.flag("iscrowd") | fields.flag("ignore"), fields.area()
            number = fields.integer("id") if "id" in fields.content else 0
            if "iscrowd" not in fields.content:
                lacking["iscrowd"].append(place)
            if area is None:
                lacking["area"].append(place)
            if number < 1 or number in seen:
                lacking["id"].append(place)
            seen.add(number)
            if image in rows and category in label_of:
                area = bbox[2] * bbox[3] if area is None else area
                rows[image].append(_Row(place, label_of[category], bbox, ignore, area))
            else:
                torn.add(image)
        if findings.refused > refused:
            torn.add(image)
    _refuse_unknown(top, unknown, findings)
    taken = {"iscrowd": "0 was taken", "area": "width x height was taken", "id": "new ids from 1 were given"}
    for key, found in lacking.items():
        if found:
            what = "is 0, missing or repeated" if key == "id" else "is missing or no number"
            message = f"{key} {what} in {len(found)} annotations; {taken[key]}"
            findings.append(Finding("ANN_DEFAULTED", str(top.file), f"annotations[{found[0]}].{key}", message, "info"))
    return {number: (found, number not in torn) for number, found in rows.items()}


def _refuse_unknown(top: CocoFields, unknown: dict[str, dict[int, int]], findings: Findings) -> None:
    """Refuses ids that no image or category has; one whose own entry was refused was told there."""
    for key, places in unknown.items():
        owners = "images" if key == "image_id" else "categories"
        listed = [one.get("id") for one in top.list(owners) if isinstance(one, dict)] if places else []
        missing = [(value, place) for value, place in places.items() if value not in listed]
        if findings.collected:
            for value, place in missing:
                reason = f"{value} is none of the {owners}; add it or remove the annotations"
                findings.refuse(AnnotationError("ANN_UNKNOWN_ID", top.file, f"annotations[{place}].{key}", reason))
        elif missing:
            shown = ", ".join(f"{value} (annotations[{place}])" for value, place in missing[:_SHOWN])
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            message = f"{top.file}: {key} {shown}{more} not in {owners}; add or remove them"
            raise DataError("ANN_UNKNOWN_ID", message)


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
