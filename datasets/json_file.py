"""One JSON file of annotations: bounded in size and depth, and without JavaScript's not-a-number."""

import json
from pathlib import Path
from typing import Any, NoReturn

from googlenet_rcnn.core.errors import DataError

__all__ = ["read_json"]

_MAX_BYTES = 2**30  # JSON is read whole; COCO's train2017 has 449 MB


def read_json(path: Path) -> Any:
    """The value in a JSON file of UTF-8, UTF-16 or UTF-32, with or without byte order mark.

    DataError: ANN_UNREADABLE, ANN_TOO_LARGE (over 1 GiB), ANN_PARSE with the place, ANN_BAD_NUMBER for NaN.
    """
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            fix = "split it by images"
            raise DataError("ANN_TOO_LARGE", f"{path}: {size} bytes are more than the {_MAX_BYTES} allowed; {fix}")
        data = path.read_bytes()
    except OSError as error:
        raise DataError("ANN_UNREADABLE", f"{path}: {error.strerror}; check the path and its permissions") from error

    def refuse(constant: str) -> NoReturn:
        raise DataError("ANN_BAD_NUMBER", f"{path}: {constant} is no number of JSON; write a finite one")

    try:
        return json.loads(data, parse_constant=refuse)
    except DataError:
        raise
    except json.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise DataError("ANN_PARSE", f"{where}: not JSON ({error.msg}); write the file again") from error
    except UnicodeDecodeError as error:
        raise DataError("ANN_PARSE", f"{path}: byte {error.start} is not {error.encoding}; save it as UTF-8") from error
    except RecursionError as error:
        raise DataError("ANN_PARSE", f"{path}: nested too deeply to be annotations; write the file again") from error
    except (ValueError, MemoryError) as error:
        reason = "too large for the memory" if isinstance(error, MemoryError) else " ".join(str(error).split())[:80]
        raise DataError("ANN_PARSE", f"{path}: not JSON that can be read ({reason})") from error
