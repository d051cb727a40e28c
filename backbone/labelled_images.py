"""Labelled images for training, every one of which can be read."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from googlenet_rcnn.core.decoder import Decoder
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.core.types import LabelSet

from .processes import Processes

__all__ = ["LabelledImages", "readable_images"]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Image files and the label [N] of each."""

    labels: LabelSet
    paths: Sequence[Path]
    truth: NDArray[np.int64]


def readable_images(
    images: LabelledImages, out: Path, skip: bool, processes: Processes, say: Callable[[str], None]
) -> LabelledImages:
    """Those that can be decoded, once each has been; the others are told of, and kept in `out`/unreadable.json.

    A resumed run believes that file if it is about the same images. DataError (IMG_UNREADABLE) for the first that
    cannot be read unless `skip`, and for `skip` if none is left.
    """
    key = _key(images.paths)
    path = out / "unreadable.json"
    if processes.first and _read(path).get("of") != key:
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, {"of": key, "images": dict(_faults(images.paths, say))})
    processes.wait()
    faults = _read(path).get("images", {})
    if not faults:
        return images
    if not skip:
        first = next(iter(faults.values()))
        raise DataError(
            "IMG_UNREADABLE", f"{len(faults)} of {len(images.paths)} images cannot be read: mend or remove them, or "
            f"leave them out with --on-error skip; {path} lists them; the first: {first}"
        )  # fmt: skip
    kept = np.array([str(one) not in faults for one in images.paths])
    say(f"note: {len(faults)} of {len(kept)} images cannot be read and are left out; {path} lists them")
    if not kept.any():
        raise DataError("NO_IMAGES", f"none of the {len(kept)} images can be read; {path} tells why")
    return LabelledImages(
        images.labels, [path for path, whole in zip(images.paths, kept, strict=True) if whole], images.truth[kept]
    )


def _key(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        try:
            status = path.stat()
            about = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            about = "missing"
        total.update(f"{path} {about}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _faults(paths: Sequence[Path], say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    with Decoder() as decoder, ThreadPoolExecutor(torch.get_num_threads()) as pool:
        faults = pool.map(partial(_fault, decoder), paths)
        for done, (path, fault) in enumerate(zip(paths, faults, strict=True), start=1):
            if done % 1000 == 0:
                say(f"checked {done} of {len(paths)} images")
            if fault:
                yield str(path), fault


def _fault(decoder: Decoder, path: Path) -> str:
    try:
        decoder.read(path)
    except DataError as error:
        return error.message
    return ""
