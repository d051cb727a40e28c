"""Proposals that a run left behind, read from JSON lines or npz and checked row by row."""

import zipfile
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Boxes, Proposals, Size
from googlenet_rcnn.eval.jsonl import ImageLine, read_image_lines

__all__ = ["ProposalFile", "read_proposals"]

_ARRAYS = {
    "image_ids": ("U", 1), "sizes": ("iu", 2), "offsets": ("iu", 1), "boxes": ("f", 2), "scores": ("f", 1),
    "sources": ("iu", 1), "source_names": ("U", 1), "failed": ("b", 1),
}  # fmt: skip
"""Arrays of an npz file: kinds of their dtype and number of axes."""


class ProposalFile(NamedTuple):
    """The content of a proposals file: `proposals` by image id, and `failed`, the ids that have none.

    For lookups use `.proposals`; both keep the order of the file, and boxes theirs, best first.
    """

    proposals: dict[str, Proposals]
    failed: tuple[str, ...]


def read_proposals(path: str | Path) -> ProposalFile:
    """Reads what `propose --out` wrote, npz or JSON lines (told apart by the first bytes).

    DataError says where the file is wrong and how to mend it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"PK"
    except OSError as error:
        raise DataError("PROPOSAL_UNREADABLE", f"{path}: {error.strerror}") from error
    content = _read_npz(path) if packed else _read_jsonl(path)
    if not content.proposals and not content.failed:
        raise DataError("PROPOSAL_EMPTY", f"{path}: there is no image in the file; run `propose --out` again")
    return content


def _read_jsonl(path: Path) -> ProposalFile:
    proposals: dict[str, Proposals] = {}
    failed: list[str] = []
    lines: dict[str, int] = {}
    for row in read_image_lines(path, "PROPOSAL"):
        where = f"{path}:{row.line}: image {row.image_id!r}"
        if row.image_id in lines:
            raise DataError("DUPLICATE_ID", f"{where} is also on line {lines[row.image_id]}; keep one")
        lines[row.image_id] = row.line
        if row.failed:
            failed.append(row.image_id)
        else:
            proposals[row.image_id] = _from_line(row, where)
    return ProposalFile(proposals, tuple(failed))


def _from_line(row: ImageLine, where: str) -> Proposals:
    content = row.content
    boxes, scores, sources = (_list(content.get(name), f"{where}: {name}") for name in ("boxes", "scores", "sources"))
    for place, box in enumerate(boxes):
        if not isinstance(box, list) or len(box) != 4:
            raise DataError("PROPOSAL_SCHEMA", f"{where}: boxes[{place}] must be 4 numbers x1 y1 x2 y2")
    for place, name in enumerate(sources):
        if not isinstance(name, str) or not name:
            raise DataError("PROPOSAL_SCHEMA", f"{where}: sources[{place}] must be a name, found {str(name)[:40]!r}")
    names = tuple(dict.fromkeys(sources))
    index = {name: place for place, name in enumerate(names)}
    return _proposals(
        _numbers(list(chain.from_iterable(boxes)), f"{where}: boxes").reshape(-1, 4),
        _numbers(scores, f"{where}: scores"),
        np.array([index[name] for name in sources], dtype=np.int64),
        names,
        (content.get("height"), content.get("width")),
        where,
    )


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise DataError("PROPOSAL_SCHEMA", f"{where} must be a list, found {type(value).__name__}")
    return value


def _numbers(values: Sequence[Any], where: str) -> NDArray[np.float64]:
    if odd := [value for value in values if type(value) not in (int, float)]:
        raise DataError("PROPOSAL_SCHEMA", f"{where} must be numbers, found {str(odd[0])[:40]!r}")
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        raise DataError("PROPOSAL_NOT_FINITE", f"{where}: expected finite numbers") from None


def _proposals(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    sources: NDArray[Any],
    names: tuple[str, ...],
    size: tuple[Any, Any],
    where: str,
) -> Proposals:
    """Checked proposals of one image; the first wrong row is named."""
    if len(boxes) != len(scores) or len(boxes) != len(sources):
        counts = f"{len(boxes)} boxes, {len(scores)} scores, {len(sources)} sources"
        raise DataError("PROPOSAL_SCHEMA", f"{where}: {counts}; there must be as many of each")
    if any(type(side) is not int or side < 1 for side in size):
        found = "{} x {}".format(*size)
        raise DataError("PROPOSAL_SCHEMA", f"{where}: height x width must be whole numbers from 1, found {found}")
    # Checked as they will be kept: a number of JSON can be finite and its float32 not.
    with np.errstate(over="ignore"):
        kept, ranks = boxes.astype(np.float32), scores.astype(np.float32)
    for values, what in ((kept, "boxes"), (ranks[:, None], "scores")):
        if len(wrong := np.flatnonzero(~np.isfinite(values).all(axis=1))):
            raise DataError("PROPOSAL_NOT_FINITE", f"{where}: {what}[{wrong[0]}] is not finite; propose it again")
    height, width = size
    fits = (kept[:, :2] >= 0).all(axis=1) & (kept[:, 2:] > kept[:, :2]).all(axis=1)
    fits &= (kept[:, 2] <= width) & (kept[:, 3] <= height)
    if len(wrong := np.flatnonzero(~fits)):
        rule = f"0 <= x1 < x2 <= {width}, 0 <= y1 < y2 <= {height}"
        raise DataError("PROPOSAL_BOX", f"{where}: boxes[{wrong[0]}] {kept[wrong[0]].tolist()} breaks {rule}")
    if len(wrong := np.flatnonzero((sources < 0) | (sources >= len(names)))):
        raise DataError("PROPOSAL_SCHEMA", f"{where}: sources[{wrong[0]}] is none of the {len(names)} names")
    return Proposals(Boxes(kept, Size(height, width)), ranks, sources, names)


def _read_npz(path: Path) -> ProposalFile:
    arrays = _arrays(path)
    ids, sizes, offsets = arrays["image_ids"].tolist(), arrays["sizes"], arrays["offsets"].tolist()
    names, failed = tuple(arrays["source_names"].tolist()), arrays["failed"]
    boxes, scores, sources = arrays["boxes"], arrays["scores"], arrays["sources"].astype(np.int64)
    per_image = (len(sizes), len(offsets) - 1, len(failed))
    if any(count != len(ids) for count in per_image) or any(len(boxes) != len(rows) for rows in (scores, sources)):
        found = ", ".join(f"{name} {list(arrays[name].shape)}" for name in _ARRAYS)
        raise DataError("PROPOSAL_SCHEMA", f"{path}: lengths do not agree ({found}); write the file again")
    if sizes.shape[1] != 2 or boxes.shape[1] != 4:
        raise DataError("PROPOSAL_SCHEMA", f"{path}: sizes must have 2 columns and boxes 4; write the file again")
    if offsets[0] != 0 or offsets[-1] != len(boxes) or any(np.diff(offsets) < 0):
        reason = f"offsets must rise from 0 to the {len(boxes)} boxes"
        raise DataError("PROPOSAL_SCHEMA", f"{path}: {reason}; write the file again")
    proposals: dict[str, Proposals] = {}
    places: dict[str, int] = {}
    for place, image_id in enumerate(ids):
        where = f"{path}: image_ids[{place}] {image_id!r}"
        if image_id in places:
            raise DataError("DUPLICATE_ID", f"{where} is also image_ids[{places[image_id]}]; keep one")
        places[image_id] = place
        if not failed[place]:
            rows = slice(offsets[place], offsets[place + 1])
            size = int(sizes[place, 0]), int(sizes[place, 1])
            proposals[image_id] = _proposals(boxes[rows], scores[rows], sources[rows], names, size, where)
    return ProposalFile(proposals, tuple(image_id for image_id in ids if failed[places[image_id]]))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, with dtype and axes checked; pickled objects are refused."""
    found: dict[str, NDArray[Any]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for name, (kinds, axes) in _ARRAYS.items():
                if name not in file:
                    raise DataError("PROPOSAL_SCHEMA", f"{path}: there is no array {name!r}; write the file again")
                array = file[name]
                if array.dtype.kind not in kinds or array.ndim != axes:
                    shape = f"{array.dtype} {list(array.shape)}"
                    raise DataError("PROPOSAL_SCHEMA", f"{path}: array {name!r} cannot be {shape}; write it again")
                found[name] = array
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = " ".join(str(error).split())[:80]
        raise DataError("PROPOSAL_PARSE", f"{path}: not a whole npz file ({reason}); write it again") from error
    return found
