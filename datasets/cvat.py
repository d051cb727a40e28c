"""CVAT for images 1.1: one XML file with the boxes of all images, corners in pixels from 0 and half-open."""

import math
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet, Sample, Size
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.guarded_xml import parse_xml
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.turned_box import around_turned
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses

__all__ = ["cvat_splits", "is_cvat", "read_cvat"]

_FILE = "annotations.xml"
_DEFAULT = "default"
_MAX_BYTES = 256 * 2**20
_SHAPES = ("polygon", "polyline", "points", "mask", "ellipse", "cuboid", "skeleton")
_Box = tuple[str, tuple[float, float, float, float], str]


def is_cvat(root: Path) -> bool:
    """Whether this is such a file, or a folder with an `annotations.xml`."""
    path = _file(root)
    if path.suffix != ".xml" or not path.is_file():  # nor is a pipe opened, which would wait for ever
        return False
    try:
        with path.open("rb") as file:
            return b"<annotations" in file.read(4096)
    except OSError:
        return False


def cvat_splits(root: Path) -> list[str]:
    """Names of the subsets of a task, in the order they occur; `default` for images of none."""
    return list(dict.fromkeys(image.get("subset") or _DEFAULT for image in _root(root).iter("image"))) or [_DEFAULT]


def read_cvat(root: str | Path, split: str, findings: Findings | None = None) -> AnnotatedDataset:
    """Reads the images of a subset, in order, those without boxes included.

    Labels are those of the task, in its order. Boxes that are `outside` are left out, occluded ones are kept; a
    turned box becomes the upright one around it; tags of whole images and outlines are counted and left out, each
    with a finding. Pictures are looked for beside the file and in `images`.
    """
    path = _file(Path(root))
    inside(split, path)
    document = _root(Path(root))
    findings = Findings() if findings is None else findings
    if document.find("track") is not None:
        raise AnnotationError("ANN_PARSE", path, "", "this is CVAT for video; export as CVAT for images 1.1")
    images = document.findall("image")
    chosen = [image for image in images if (image.get("subset") or _DEFAULT) == split]
    if not chosen and images:
        raise DataError("SPLIT_MISSING", f"{path}: no subset {split!r}; there are: {', '.join(cvat_splits(path))}")
    labels = _labels(document, path)
    unknown = UnknownClasses()
    samples: dict[str, Sample] = {}
    left_out: dict[str, int] = {}
    for image in chosen:
        with findings.guard(path):
            sample = _sample(image, path, labels, unknown, left_out, findings)
            if sample.image_id in samples:
                reason = f"{sample.image_id} is there twice; rename one"
                raise AnnotationError("DUPLICATE_ID", path, f"image {image.get('id')}", reason)
            samples[sample.image_id] = sample
    unknown.check(labels, "add them to the labels of the task", findings)
    for kind, count in left_out.items():
        code = "TAG_IGNORED" if kind == "tag" else "SHAPE_IGNORED" if kind in _SHAPES else "BOX_HIDDEN"
        level = "info" if code != "SHAPE_IGNORED" else "warning"
        message = f"{count} of kind {kind} have no box here and are left out"
        findings.append(Finding(code, str(path), "", message, level))  # type: ignore[arg-type]
    return AnnotatedDataset(labels, tuple(samples.values()), tuple(findings))


def _file(root: Path) -> Path:
    return root / _FILE if root.is_dir() else root


def _root(root: Path) -> ElementTree.Element:
    path = _file(root)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise AnnotationError("ANN_TOO_LARGE", path, "", f"more than {_MAX_BYTES} bytes; export it in parts")
        return parse_xml(path.read_bytes(), str(path), _MAX_BYTES)
    except OSError as error:
        raise AnnotationError("ANN_UNREADABLE", path, "", f"{error.strerror}; check the permissions") from error


def _labels(document: ElementTree.Element, path: Path) -> LabelSet:
    """The labels of the task, or, where the file does not tell them, those that occur, sorted."""
    meta = document.find("meta")
    nodes = [] if meta is None else meta.iter("label")
    names = [name for node in nodes if (name := (node.findtext("name") or "").strip())]
    names = names or sorted({(box.get("label") or "").strip() for box in document.iter("box")} - {""})
    if not names:
        raise AnnotationError("LABELS_MISSING", path, "meta", "no labels; export the task with its labels")
    return LabelSet(tuple(dict.fromkeys(names)))


def _sample(
    image: ElementTree.Element,
    path: Path,
    labels: LabelSet,
    unknown: UnknownClasses,
    left_out: dict[str, int],
    findings: Findings,
) -> Sample:
    place = f"image {image.get('id')}"
    name = inside((image.get("name") or "").strip(), path, place)
    width, height = (_number(image, key, path, place) for key in ("width", "height"))
    if not (width >= 1 and height >= 1 and width == int(width) and height == int(height)):
        reason = f"{width:g}x{height:g} is impossible; write the true size of the image"
        raise AnnotationError("SIZE_MISMATCH", path, place, reason)
    refused, shapes, boxes = findings.refused, 0, list[_Box]()
    for number, node in enumerate(image, start=1):
        hidden = node.tag == "box" and node.get("outside") == "1"
        if hidden or node.tag in ("tag", *_SHAPES):
            kind = "box that is outside" if hidden else node.tag
            left_out[kind] = left_out.get(kind, 0) + 1
            shapes += node.tag in _SHAPES
        elif node.tag == "box":
            with findings.guard(path):
                boxes.append(_box(node, path, f"{place}, element {number}", findings))
    known = [box for box in boxes if box[0] in labels.names]
    for label, _, where in boxes:
        if label not in labels.names:
            unknown.add(label, path, where)
    truth = fit(
        [corners for _, corners, _ in known],
        [labels.index(label) for label, _, _ in known],
        Size(int(height), int(width)),
        str(path),
        lambda row: f"{known[row][2]} ({known[row][0]})",
        findings,
    )
    homes = (path.parent / "images", path.parent)
    picture = next((home / name for home in homes if (home / name).is_file()), homes[0] / name)
    whole = findings.refused == refused and not shapes and len(known) == len(boxes)
    return Sample(str(PurePosixPath(name).with_suffix("")), picture, truth, exhaustive=whole)


def _box(node: ElementTree.Element, path: Path, place: str, findings: Findings) -> _Box:
    x1, y1, x2, y2 = corners = (
        _number(node, "xtl", path, place), _number(node, "ytl", path, place),
        _number(node, "xbr", path, place), _number(node, "ybr", path, place),
    )  # fmt: skip
    if turn := _number(node, "rotation", path, place) % 360 if "rotation" in node.attrib else 0.0:
        corners = around_turned(corners, turn, pivot=((x1 + x2) / 2, (y1 + y2) / 2))
        message = f"turned by {turn:g} degrees; the box around it was taken"
        findings.append(Finding("BOX_ROTATED", str(path), place, message, "info"))
    return (node.get("label") or "").strip(), corners, place


def _number(node: ElementTree.Element, key: str, path: Path, place: str) -> float:
    text = node.get(key)
    if text is None:
        raise AnnotationError("ANN_MISSING_FIELD", path, f"{place}, {key}", "missing; add a number")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        reason = f"{text[:40]!r} is not a finite number; write the true one"
        raise AnnotationError("ANN_BAD_NUMBER", path, f"{place}, {key}", reason)
    return value
