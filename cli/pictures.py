"""Where the pictures with boxes go: one for each image given, never onto another picture or an input."""

import hashlib
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import atomic_file, storage_error
from googlenet_rcnn.core.types import Image

from .inputs import ImageFile
from .rows import escaped

__all__ = ["jpeg", "picture_paths", "portable", "refuse_existing", "write_jpeg", "write_picture"]

_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *", re.IGNORECASE)
"""Names of devices, which no file can have on Windows, whatever follows the first dot."""

_LONGEST = 200  # bytes of a file name, which leaves room for the suffixes of temporary files


def picture_paths(
    files: Sequence[ImageFile], arguments: Iterable[str], folder: Path, ending: str = ".jpg"
) -> list[Path]:
    """A path below `folder` for each file: its id, with ~2, ~3, ... where another file has that id, and the ending.

    UsageError if the folder lies in one of the folders searched: its pictures would be inputs the next time.
    """
    for argument in arguments:
        if os.path.isdir(argument) and folder.resolve().is_relative_to(Path(argument).resolve()):
            raise UsageError("OUT_IN_INPUT", f"--draw {folder} lies in the input folder {argument}: choose another")
    inputs = {os.path.realpath(file.path) for file in files}
    owners: dict[str, str] = {}
    paths = []
    for file in files:
        name = portable(escaped(file.image_id))
        number, taken = 1, name
        while owners.setdefault(taken.casefold(), file.path) != file.path:
            number += 1
            taken = f"{name}~{number}"
        path = folder / f"{taken}{ending}"
        if os.path.realpath(path) in inputs:
            raise UsageError("OUT_IS_INPUT", f"--draw {folder} would overwrite the input {path}: choose another folder")
        paths.append(path)
    return paths


def refuse_existing(paths: Iterable[Path]) -> None:
    """UsageError (OUT_EXISTS) for the first picture that is there already."""
    for path in paths:
        if path.exists():
            raise UsageError("OUT_EXISTS", f"{path} is there already: choose another --draw or say --overwrite")


def jpeg(pixels: Image) -> bytes:
    """Pixels uint8 [H,W,3] as a JPEG picture."""
    from PIL import Image as PillowImage

    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def write_jpeg(path: Path, pixels: Image) -> None:
    """Writes pixels uint8 [H,W,3] as a JPEG picture, as `write_picture` does."""
    write_picture(path, jpeg(pixels))


def write_picture(path: Path, data: bytes) -> None:
    """Writes an encoded picture, whole or not at all, and the folders it lies in."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path.parent) from error
    with atomic_file(path) as stream:
        stream.write(data)


def portable(image_id: str) -> str:
    """The id as a path that Windows and every other system can hold, each of its parts not too long.

    What Windows forbids stands as %3A and the like, a device's name gets a _ behind it, and of what is too long a
    hash remains. Two ids may become one path.
    """
    return "/".join(_part(part) for part in image_id.split("/"))


def _part(name: str) -> str:
    name = re.sub(r'[<>:"\\|?*\x00-\x1f]|[. ]$', lambda found: f"%{ord(found[0]):02X}", name)
    stem, dot, rest = name.partition(".")
    if _DEVICE.fullmatch(stem):
        name = f"{stem}_{dot}{rest}"
    data = name.encode()
    if len(data) > _LONGEST:
        name = data[: _LONGEST - 9].decode(errors="ignore") + "~" + hashlib.sha256(data).hexdigest()[:8]
    return name
