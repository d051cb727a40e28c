"""Detections that a run left behind, set against a data set: which rows belong to which image."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.jsonl import read_rows

__all__ = ["Results", "check_unknown", "read_comp4", "read_jsonl", "read_results"]


@dataclass(frozen=True)
class Results:
    """The detections, and how many images were missing, failed, or (left out) not of the data set."""

    table: DetectionTable
    missing: int
    failed: int
    unknown: int


@dataclass
class _Columns:
    """Rows being collected."""

    image_index: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    boxes: list[Sequence[float]] = field(default_factory=list)

    def add(self, image_index: int, label: int, score: float, box: Sequence[float]) -> None:
        self.image_index.append(image_index)
        self.label.append(label)
        self.score.append(score)
        self.boxes.append(box)

    def table(self) -> DetectionTable:
        return DetectionTable(
            np.array(self.image_index, dtype=np.int64),
            np.array(self.label, dtype=np.int64),
            np.array(self.score, dtype=np.float64),
            np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
        )


def read_results(path: str | Path, dataset: Dataset, split: str | None = None, ignore_unknown: bool = False) -> Results:
    """Reads a JSONL file, or a folder of VOC text files (`split` chooses if there are several)."""
    path = Path(path)
    if path.is_dir():
        return read_comp4(path, dataset, split, ignore_unknown)
    return read_jsonl(path, dataset, ignore_unknown)


def read_jsonl(path: str | Path, dataset: Dataset, ignore_unknown: bool = False) -> Results:
    """Reads our own detections file; a failed row is an image in which nothing was found."""
    path = Path(path)
    images = {sample.image_id: index for index, sample in enumerate(dataset.samples)}
    labels = {name: label for label, name in enumerate(dataset.labels.names)}
    columns, failed = _Columns(), 0
    lines: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for row in read_rows(path):
        if row.image_id in lines:
            where = f"{path}:{row.line}: image {row.image_id!r}"
            raise DataError("DUPLICATE_ID", f"{where} is also on line {lines[row.image_id]}; keep one")
        lines[row.image_id] = row.line
        if row.image_id not in images:
            unknown[row.image_id] = row.line
            continue
        failed += row.failed
        for name, score, box in row.detections:
            if name not in labels:
                known = ", ".join(dataset.labels.names[:5])
                where = f"{path}:{row.line}: label {name!r}"
                raise DataError("CLASS_UNKNOWN", f"{where} is none of the {len(labels)} ({known}, ...)")
            columns.add(images[row.image_id], labels[name], score, box)
    check_unknown(path, list(unknown), ignore_unknown)
    missing = len(images) - (len(lines) - len(unknown))
    return Results(columns.table(), missing, failed, len(unknown))


def read_comp4(folder: str | Path, dataset: Dataset, split: str | None = None, ignore_unknown: bool = False) -> Results:
    """Reads VOC result files `comp4_det_SPLIT_CLASS.txt`, where corners are 1-based and inclusive.

    A class without a file has no detections; an image without a row counts as missing.
    """
    folder = Path(folder)
    images = {sample.image_id: index for index, sample in enumerate(dataset.samples)}
    columns = _Columns()
    seen: set[str] = set()
    unknown: dict[str, int] = {}
    for label, path in _class_files(folder, dataset.labels.names, split).items():
        for line, text in enumerate(_lines(path), start=1):
            if not (words := text.split()):
                continue
            try:
                image_id, numbers = words[0], [float(word) for word in words[1:]]
                score, x1, y1, x2, y2 = numbers
            except ValueError:
                reason = "a row is `image_id score x1 y1 x2 y2`"
                raise DataError("DET_PARSE", f"{path}:{line}: {reason}, this is {text[:60]!r}") from None
            if not np.isfinite(numbers).all():
                raise DataError("DET_NOT_FINITE", f"{path}:{line}: score and box must be finite numbers")
            if image_id not in images:
                unknown[image_id] = line
                continue
            seen.add(image_id)
            columns.add(images[image_id], label, score, (x1 - 1, y1 - 1, x2, y2))
    check_unknown(folder, list(unknown), ignore_unknown)
    return Results(columns.table(), len(images) - len(seen), 0, len(unknown))


def _class_files(folder: Path, names: Sequence[str], split: str | None) -> dict[int, Path]:
    """The result file of each label that has one."""
    found: dict[int, Path] = {}
    for path in sorted(folder.glob("comp[34]_*.txt")):
        rest = path.stem[len("comp4_") :].removeprefix("det_")
        # The longest name wins: `..._dining_table` is not the file of a class `table`.
        fitting = [name for name in names if rest == name or rest.endswith(f"_{name}")]
        if not fitting:
            continue
        name = max(fitting, key=len)
        if split is not None and rest not in (name, f"{split}_{name}"):
            continue
        label = names.index(name)
        if label in found:
            both = f"{found[label].name} and {path.name}"
            raise DataError("DET_AMBIGUOUS", f"{folder}: {both} are both of class {name}; name the split")
        found[label] = path
    if not found:
        wanted = f"comp4_det_{split or 'SPLIT'}_{names[0]}.txt"
        raise DataError("DET_MISSING", f"{folder}: there is no result file such as {wanted}")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("DET_UNREADABLE", f"{path}: this is not a readable UTF-8 file") from error


def check_unknown(path: Path, unknown: Sequence[str], ignore: bool) -> None:
    """Refuses a result file with images that are not in the data set, unless they are to be left out."""
    if unknown and not ignore:
        some = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
        reason = f"{len(unknown)} images are not in this split ({some})"
        raise DataError("IMAGE_UNKNOWN", f"{path}: {reason}; check --data and --split, or leave them out")
