"""One annotation file of VOC or ILSVRC DET."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.findings import AnnotationError, Findings
from googlenet_rcnn.datasets.guarded_xml import parse_xml

__all__ = ["VocAnnotation", "VocObject", "read_voc_xml"]

_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class VocObject:
    """An annotated object with its corners x1 y1 x2 y2 as written, and its place in the file as people say it."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool
    place: str


@dataclass(frozen=True)
class VocAnnotation:
    """Declared image file, declared size, and the objects in order; `whole` unless some could not be read."""

    filename: str
    size: Size
    objects: tuple[VocObject, ...]
    whole: bool = True


def read_voc_xml(
    data: bytes, file: str, findings: Findings | None = None, size_of_picture: Callable[[], Size] | None = None
) -> VocAnnotation:
    """Reads an annotation by the names of its tags; a document type declaration is refused, so no entity expands.

    `file` stands in messages. Where `findings` are collected an object that is bad is left out, and for a size that is
    missing or impossible that of the picture is taken.
    """
    findings = Findings() if findings is None else findings
    root = parse_xml(data, file, _MAX_BYTES)
    size: Size | None = None
    with findings.guard(file):
        size = _size(root, file)
    if size is None:
        if size_of_picture is None:
            raise AnnotationError("SIZE_MISMATCH", file, "size", "missing, and there is no picture to take it from")
        size = size_of_picture()
    nodes = root.findall("object")
    objects: list[VocObject] = []
    for number, node in enumerate(nodes, start=1):
        with findings.guard(file):
            objects.append(_object(node, file, f"object {number}"))
    whole = len(objects) == len(nodes)
    return VocAnnotation((root.findtext("filename") or "").strip(), size, tuple(objects), whole)


def _size(root: ElementTree.Element, file: str) -> Size:
    node = root.find("size")
    if node is None:
        raise AnnotationError("ANN_MISSING_FIELD", file, "size", "missing; add width and height")
    width, height = (_number(node, key, file, "size") for key in ("width", "height"))
    if not (width >= 1 and height >= 1 and width == int(width) and height == int(height)):
        reason = f"{width:g}x{height:g} is impossible; write the true size of the image"
        raise AnnotationError("SIZE_MISMATCH", file, "size", reason)
    return Size(int(height), int(width))


def _object(node: ElementTree.Element, file: str, place: str) -> VocObject:
    name = (node.findtext("name") or "").strip()
    box = node.find("bndbox")
    if not name or box is None:
        missing = "bndbox" if name else "name"
        raise AnnotationError("ANN_MISSING_FIELD", file, f"{place}/{missing}", "missing; add it or remove the object")
    x1, y1, x2, y2 = (_number(box, key, file, f"{place}/bndbox") for key in ("xmin", "ymin", "xmax", "ymax"))
    difficult = (node.findtext("difficult") or "0").strip()
    return VocObject(name, (x1, y1, x2, y2), difficult not in ("", "0"), place)


def _number(parent: ElementTree.Element, key: str, file: str, place: str) -> float:
    text = parent.findtext(key)
    if text is None:
        raise AnnotationError("ANN_MISSING_FIELD", file, f"{place}/{key}", "missing; add a number")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        reason = f"{text.strip()[:40]!r} is not a finite number; write the true one"
        raise AnnotationError("ANN_BAD_NUMBER", file, f"{place}/{key}", reason)
    return value
