"""One JSON file of annotations: bounded in size and depth, and without JavaScript's not-a-number."""

import json
from pathlib import Path
from typing import Any, NoReturn

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.findings import AnnotationError

__all__ = ["read_json"]

_MAX_BYTES = 2**30  # JSON is read whole; COCO's train2017 has 449 MB


def read_json(path: Path) -> Any:
    """The value in a JSON file of UTF-8, UTF-16 or UTF-32, with or without byte order mark.

    DataError: ANN_UNREADABLE, ANN_TOO_LARGE (over 1 GiB), ANN_PARSE with the place, ANN_BAD_NUMBER for NaN.
    """
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            reason = f"{size} bytes are more than the {_MAX_BYTES} allowed; split it by images"
            raise AnnotationError("ANN_TOO_LARGE", path, "", reason)
        data = path.read_bytes()
    except OSError as error:
        reason = f"{error.strerror}; check the path and its permissions"
        raise AnnotationError("ANN_UNREADABLE", path, "", reason) from error

    def refuse(constant: str) -> NoReturn:
        raise AnnotationError("ANN_BAD_NUMBER", path, "", f"{constant} is no number of JSON; write a finite one")

    try:
        return json.loads(data, parse_constant=refuse)
    except DataError:
        raise
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}:{error.colno}"
        raise AnnotationError("ANN_PARSE", path, place, f"not JSON ({error.msg}); write the file again") from error
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not {error.encoding}; save it as UTF-8"
        raise AnnotationError("ANN_PARSE", path, "", reason) from error
    except RecursionError as error:
        reason = "nested too deeply to be annotations; write the file again"
        raise AnnotationError("ANN_PARSE", path, "", reason) from error
    except (ValueError, MemoryError) as error:
        what = "too large for the memory" if isinstance(error, MemoryError) else " ".join(str(error).split())[:80]
        raise AnnotationError("ANN_PARSE", path, "", f"not JSON that can be read ({what})") from error
