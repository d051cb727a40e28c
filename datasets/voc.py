"""PASCAL VOC devkits: the only place where 1-based inclusive corners become half-open boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.boxes import clip
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.voc_xml import VocAnnotation, read_voc_xml

__all__ = ["VocDataset", "read_voc"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")


@dataclass(frozen=True)
class VocDataset(Dataset):
    """A VOC split in list order, with what was mended while reading it."""

    findings: Sequence[Finding] = field(default=(), repr=False)


def read_voc(root: str | Path, split: str, labels: LabelSet | None = None) -> VocDataset:
    """Reads a split of VOCdevkit, of one of its years, or of the only devkit or year below `root`.

    Boxes outside the image are clipped and empty ones dropped, each with a finding. A sample without
    annotation has truth None in a test split and is an error elsewhere. Labels default to VOC's 20.
    """
    labels = labels or load_labels("voc20")
    year = _year_folder(Path(root))
    samples: list[Sample] = []
    findings: list[Finding] = []
    for image_id in _read_list(year, split):
        xml = _inside(year / "Annotations", f"{image_id}.xml")
        truth, declared = None, ""
        if xml.is_file():
            annotation = read_voc_xml(xml)
            declared = annotation.filename
            truth = _truth(annotation, labels, xml, findings)
        elif not split.startswith("test"):
            raise DataError("ANN_MISSING", f"{xml}: image {image_id} of split {split} has no annotation file")
        samples.append(Sample(image_id, _image_path(year / "JPEGImages", image_id, declared), truth))
    return VocDataset(labels, tuple(samples), tuple(findings))


def _year_folder(root: Path) -> Path:
    """The folder that holds Annotations and ImageSets."""
    if not root.is_dir():
        raise DataError("DATA_MISSING", f"{root}: there is no such folder; --data takes a VOCdevkit")
    for folder in (root, root / "VOCdevkit"):
        if (folder / "ImageSets").is_dir():
            return folder
        years = sorted(year for year in folder.glob("VOC*") if (year / "ImageSets").is_dir())
        if len(years) == 1:
            return years[0]
        if years:
            raise DataError("DATA_AMBIGUOUS", f"{folder}: choose one of {', '.join(str(year) for year in years)}")
    raise DataError("DATA_UNRECOGNISED", f"{root}: no VOC devkit here, ImageSets/Main is missing")


def _read_list(year: Path, split: str) -> list[str]:
    """Image ids of a split in order; a second column (per-class lists) is skipped."""
    folder = year / "ImageSets" / "Main"
    if not folder.is_dir():
        folder = year / "ImageSets"
    path = _inside(folder, f"{split}.txt")
    if not path.is_file():
        names = sorted(entry.stem for entry in folder.glob("*.txt"))
        # Lists of one class (car_train) would drown the splits themselves.
        known = ", ".join([name for name in names if "_" not in name] or names) or "none"
        raise DataError("SPLIT_MISSING", f"{folder}: there is no split {split!r}; available: {known}")
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("SPLIT_UNREADABLE", f"{path}: this is not a readable UTF-8 list of image ids") from error
    ids: dict[str, int] = {}
    for line, row in enumerate(rows, start=1):
        if not (words := row.split()):
            continue
        if words[0] in ids:
            raise DataError("DUPLICATE_ID", f"{path}:{line}: {words[0]} is also on line {ids[words[0]]}")
        ids[words[0]] = line
    return list(ids)


def _image_path(folder: Path, image_id: str, declared: str) -> Path:
    """Where the pixels lie: the file named by the id, or else the one the annotation declares."""
    default = _inside(folder, f"{image_id}.jpg")
    if declared:
        _inside(folder, declared)
    if default.is_file():
        return default
    candidates = [_inside(folder, f"{image_id}{suffix}") for suffix in _SUFFIXES[1:]]
    if declared:
        candidates.append(_inside(folder, declared))
    return next((path for path in candidates if path.is_file()), default)


def _inside(folder: Path, name: str) -> Path:
    """The path of a name below a folder; a name that could lead out of it is refused."""
    escapes = "\\" in name or "\0" in name or ":" in name or name.startswith("/") or ".." in name.split("/")
    if escapes:
        raise DataError("PATH_ESCAPE", f"{folder}: the name {name!r} leads outside; use a plain file name")
    return folder / name


def _truth(annotation: VocAnnotation, labels: LabelSet, path: Path, findings: list[Finding]) -> GroundTruth:
    """Half-open, clipped boxes of an annotation; what was changed is added to `findings`."""
    height, width = annotation.size
    rows: list[tuple[list[float], int, bool]] = []
    for number, thing in enumerate(annotation.objects, start=1):
        place = f"object {number} ({thing.name})"
        if thing.name not in labels.names:
            known = ", ".join(labels.names[:5])
            raise DataError("CLASS_UNKNOWN", f"{path}: {place} is none of the {len(labels)} labels ({known}, ...)")
        x1, y1, x2, y2 = thing.corners
        box = np.array([[x1 - 1, y1 - 1, x2, y2]], dtype=np.float32)
        inside = clip(box, height, width)
        left, top, right, bottom = inside[0].tolist()
        shown = f"box {x1:g} {y1:g} {x2:g} {y2:g}"
        if not (left < right and top < bottom):
            findings.append(
                Finding(
                    "BOX_DEGENERATE",
                    str(path),
                    place,
                    f"{shown} has no area inside the {width}x{height} image and was dropped",
                )
            )
            continue
        if not np.array_equal(box, inside):
            message = f"{shown} leaves the {width}x{height} image and was clipped"
            findings.append(Finding("BOX_OUTSIDE", str(path), place, message))
        rows.append(([left, top, right, bottom], labels.index(thing.name), thing.difficult))
    boxes = Boxes(np.array([box for box, _, _ in rows], dtype=np.float32).reshape(-1, 4), Size(height, width))
    return GroundTruth(
        boxes,
        np.array([label for _, label, _ in rows], dtype=np.int64),
        np.array([difficult for _, _, difficult in rows], dtype=np.bool_),
    )
