"""XML that is not trusted: nothing resolves its entities, and its size and depth are bounded."""

from xml.etree import ElementTree
from xml.parsers import expat

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["parse_xml"]

_MAX_DEPTH = 32


def parse_xml(data: bytes, file: str, max_bytes: int) -> ElementTree.Element:
    """The root of a document; DataError (ANN_PARSE) with the line, also for a document type declaration."""
    if len(data) > max_bytes:
        raise AnnotationError("ANN_PARSE", file, "", f"more than {max_bytes} bytes are no such annotations")
    # Expat drives the tree builder directly, because ElementTree's own parser would expand entities.
    parser, builder, depth = expat.ParserCreate(), ElementTree.TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            reason = f"more than {_MAX_DEPTH} nested tags"
            raise AnnotationError("ANN_PARSE", file, f"line {parser.CurrentLineNumber}", reason)
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        place = f"line {parser.CurrentLineNumber}"
        raise AnnotationError("ANN_PARSE", file, place, "a DOCTYPE is not allowed in annotations; remove it")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except expat.ExpatError as error:
        place, what = f"line {error.lineno}:{error.offset}", expat.ErrorString(error.code)
        raise AnnotationError("ANN_PARSE", file, place, f"not well-formed XML ({what}); write it again") from error
    except (ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        reason = f"not XML that can be read ({' '.join(str(error).split())}); save it as UTF-8"
        raise AnnotationError("ANN_PARSE", file, "", reason) from error
