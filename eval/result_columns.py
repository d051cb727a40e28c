"""What a result file says, set against a data set: which rows belong to which image and class."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable

__all__ = ["ResultColumns", "Results", "check_unknown"]

_SHOWN = 10


@dataclass(frozen=True)
class Results:
    """The detections, and how many images were missing, failed, or (left out) not of the data set."""

    table: DetectionTable
    missing: int
    failed: int
    unknown: int


class ResultColumns:
    """Rows of a file, added block by block; they stay in its order, and every finite one counts as written.

    `images` and `labels` give the index of what the file calls them, where that is not the image id and class name.
    """

    def __init__(
        self,
        path: Path,
        dataset: Dataset,
        images: Mapping[Any, int] | None = None,
        labels: Mapping[Any, int] | None = None,
    ) -> None:
        own_images = {sample.image_id: index for index, sample in enumerate(dataset.samples)}
        own_labels = {name: label for label, name in enumerate(dataset.labels.names)}
        self.images: Mapping[Any, int] = own_images if images is None else images
        self._labels: Mapping[Any, int] = own_labels if labels is None else labels
        self._path, self._count = path, len(dataset.samples)
        self._blocks: list[tuple[NDArray[Any], ...]] = []
        self._unknown_images: dict[Any, str] = {}
        self._unknown_labels: dict[Any, str] = {}
        self._unknown_rows: Counter[Any] = Counter()

    def add(
        self,
        image_keys: Sequence[Any],
        label_keys: Sequence[Any],
        score: NDArray[np.float64],
        boxes: NDArray[np.float64],
        where: Callable[[int], str],
    ) -> None:
        """Adds N rows with half-open boxes [N,4]; `where` says the file and place of one of them.

        DataError (DET_NOT_FINITE) for a score or corner that is NaN or infinite.
        """
        finite = np.isfinite(score) & np.isfinite(boxes).all(axis=1)
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise DataError("DET_NOT_FINITE", f"{where(row)}: score and box must be finite numbers")
        image, label = _indices(self.images, image_keys), _indices(self._labels, label_keys)
        for row in np.flatnonzero(image < 0).tolist():
            if image_keys[row] not in self._unknown_images:
                self._unknown_images[image_keys[row]] = where(row)
        for row in np.flatnonzero((image >= 0) & (label < 0)).tolist():
            self._unknown_rows[label_keys[row]] += 1
            if label_keys[row] not in self._unknown_labels:
                self._unknown_labels[label_keys[row]] = where(row)
        known = (image >= 0) & (label >= 0)
        self._blocks.append((image[known], label[known], score[known], boxes[known]))

    def results(self, ignore_unknown: bool = False, failed: int = 0, present: Collection[Any] | None = None) -> Results:
        """The rows as a table; `present` are the images of the file where some may have no row.

        DataError for images that are not in the data set (unless they are to be left out), and for classes.
        """
        columns = [np.concatenate(parts) for parts in zip(*self._blocks, strict=True)]
        table = DetectionTable(*(columns or (np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 4)))))
        self._blocks.clear()
        if present is None:
            unknown: Iterable[Any] = self._unknown_images
            missing = self._count - len(np.unique(table.image_index))
        else:
            unknown = [key for key in present if key not in self.images]
            missing = self._count - (len(present) - len(unknown))
        names = [_shown(key) for key in unknown]
        check_unknown(self._path, names, ignore_unknown, next(iter(self._unknown_images.values()), ""))
        if self._unknown_labels:
            raise DataError("CLASS_UNKNOWN", f"{self._path}: {self._unknown_classes()}")
        return Results(table, missing, failed, len(names))

    def _unknown_classes(self) -> str:
        """The one table of classes that the data set does not have: name, count and first place."""
        known = [_shown(key) for key in self._labels]
        entries = []
        for key, place in list(self._unknown_labels.items())[:_SHOWN]:
            near = get_close_matches(_shown(key).lower(), known, 1)
            hint = f"; is it {near[0]}?" if near and isinstance(key, str) else ""
            entries.append(f"{_shown(key)!r} in {self._unknown_rows[key]} rows, first {place}{hint}")
        more = ", ..." if len(known) > 5 else ""
        total = f"{len(self._unknown_labels)} classes are none of the {len(known)} known ({', '.join(known[:5])}{more})"
        return f"{total}: {', '.join(entries)}{', ...' if len(self._unknown_labels) > _SHOWN else ''}"


def check_unknown(path: Path, unknown: Sequence[str], ignore: bool, first: str = "") -> None:
    """Refuses a result file with images that are not in the data set, unless they are to be left out."""
    if unknown and not ignore:
        some = ", ".join(unknown[:_SHOWN]) + (", ..." if len(unknown) > _SHOWN else "")
        place = f", first {first}" if first else ""
        reason = f"{len(unknown)} images are not in this split ({some}{place})"
        raise DataError("IMAGE_UNKNOWN", f"{path}: {reason}; check --data and --split, or say --ignore-unknown")


def _indices(known: Mapping[Any, int], keys: Sequence[Any]) -> NDArray[np.int64]:
    return np.fromiter(map(known.get, keys, repeat(-1)), np.int64, len(keys))


def _shown(key: Any) -> str:
    return key.decode(errors="backslashreplace") if isinstance(key, bytes) else str(key)
