"""One annotation file of VOC or ILSVRC DET: XML that is not trusted, and nothing resolves its entities."""

import math
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Size

__all__ = ["VocAnnotation", "VocObject", "read_voc_xml"]

_MAX_BYTES = 16 * 2**20
_MAX_DEPTH = 32


@dataclass(frozen=True)
class VocObject:
    """An annotated object with its corners x1 y1 x2 y2 as written."""

    name: str
    corners: tuple[float, float, float, float]
    difficult: bool


@dataclass(frozen=True)
class VocAnnotation:
    """Declared image file, declared size, and the objects in order."""

    filename: str
    size: Size
    objects: tuple[VocObject, ...]


def read_voc_xml(data: bytes, path: str) -> VocAnnotation:
    """Reads an annotation by the names of its tags; a document type declaration is refused, so no entity expands.

    `path` stands in messages.
    """
    root = _parse(data, path)
    size = root.find("size")
    if size is None:
        raise DataError("ANN_MISSING_FIELD", f"{path}: annotation/size is missing; add width and height")
    width, height = (_number(size, key, path, "size") for key in ("width", "height"))
    if not (width >= 1 and height >= 1 and width == int(width) and height == int(height)):
        raise DataError(
            "SIZE_MISMATCH",
            f"{path}: size {width:g}x{height:g} is impossible; write the true size of the image",
        )
    objects = tuple(_object(node, path, number) for number, node in enumerate(root.findall("object"), start=1))
    return VocAnnotation((root.findtext("filename") or "").strip(), Size(int(height), int(width)), objects)


def _object(node: ElementTree.Element, path: str, number: int) -> VocObject:
    place = f"object {number}"
    name = (node.findtext("name") or "").strip()
    box = node.find("bndbox")
    if not name or box is None:
        missing = "bndbox" if name else "name"
        raise DataError("ANN_MISSING_FIELD", f"{path}: {place}/{missing} is missing; add it or remove the object")
    x1, y1, x2, y2 = (_number(box, key, path, f"{place}/bndbox") for key in ("xmin", "ymin", "xmax", "ymax"))
    difficult = (node.findtext("difficult") or "0").strip()
    return VocObject(name, (x1, y1, x2, y2), difficult not in ("", "0"))


def _number(parent: ElementTree.Element, key: str, path: str, place: str) -> float:
    text = parent.findtext(key)
    if text is None:
        raise DataError("ANN_MISSING_FIELD", f"{path}: {place}/{key} is missing; add a number")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError("ANN_BAD_NUMBER", f"{path}: {place}/{key} is {text.strip()[:40]!r}, not a finite number")
    return value


def _parse(data: bytes, path: str) -> ElementTree.Element:
    if len(data) > _MAX_BYTES:
        raise DataError("ANN_PARSE", f"{path}: more than {_MAX_BYTES} bytes are no annotation of one image")
    # Expat drives the tree builder directly, because ElementTree's own parser would expand entities.
    parser, builder, depth = expat.ParserCreate(), ElementTree.TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise DataError("ANN_PARSE", f"{path}:{parser.CurrentLineNumber}: more than {_MAX_DEPTH} nested tags")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        where = f"{path}:{parser.CurrentLineNumber}"
        raise DataError("ANN_PARSE", f"{where}: a DOCTYPE is not allowed in annotations; remove it")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except expat.ExpatError as error:
        where = f"{path}:{error.lineno}:{error.offset}"
        raise DataError("ANN_PARSE", f"{where}: not well-formed XML ({expat.ErrorString(error.code)})") from error
    except (ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("ANN_PARSE", f"{path}: not XML that can be read ({' '.join(str(error).split())})") from error
