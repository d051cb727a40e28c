"""What a training learns from and what it is validated on: chosen among the splits that are there, and checked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Dataset

if TYPE_CHECKING:
    from googlenet_rcnn.datasets.annotated import AnnotatedDataset
    from googlenet_rcnn.datasets.findings import Finding

__all__ = ["TrainingData", "check_training_data", "choose_training_data"]

_TRAIN = ("train",)
_VALIDATE = ("val", "valid", "validation")
_WHOLE = ("trainval", "all", "default", *_VALIDATE)  # a split that is alone, in the order of preference
_HOLDOUT = 0.2
_FEW = 10
_SHOWN = 5
_NEEDED = ("IMG_MISSING", "ANN_MISSING")  # an evaluation can do without, a training cannot
_OF_TRAINING = ("FEW_IMAGES", "NO_OBJECTS", "CLASS_RARE", "CLASS_SIMILAR")


@dataclass(frozen=True)
class TrainingData:
    """Images to train on, called `name`, and those to validate on, if any."""

    name: str
    train: Dataset
    validation: Dataset | None
    findings: Sequence["Finding"] = ()


def choose_training_data(data: Path, split: str | None, holdout: float | None, seed: int) -> TrainingData:
    """A given split, or what is there: train validated on val, or else the one split there is.

    `holdout` is the share of images kept for validation: by default a fifth where no split is given and there is no
    val, else none. A val is used only where neither is given.
    """
    if holdout is not None and not 0 <= holdout < 1:
        raise UsageError("FLAG_VALUE", f"--holdout is a share of the images, from 0 to less than 1, got {holdout:g}")
    if split is not None:
        return _held_out(_read(data, split), f"{data.name} {split}", holdout or 0.0, seed)
    train, found = _first(data, (*_TRAIN, *_WHOLE))
    one_file = data.suffix == ".json" and data.is_file()  # COCO's instances, whatever the split
    name = data.name if one_file else f"{data.name} {found}"
    if holdout is None and found in _TRAIN and not one_file:
        try:
            validation, _ = _first(data, _VALIDATE)
        except DataError as error:
            if error.code != "SPLIT_MISSING":
                raise
        else:
            if validation.labels.names != train.labels.names:
                raise DataError("LABELS_DIFFER", f"{data}: train and val list other classes; list the same in both")
            return TrainingData(name, train, validation, (*train.findings, *validation.findings))
    return _held_out(train, name, _HOLDOUT if holdout is None else holdout, seed)


def _read(data: Path, split: str) -> "AnnotatedDataset":
    from googlenet_rcnn.datasets.tree import read_dataset

    return read_dataset(data, split)


def _first(data: Path, splits: Sequence[str]) -> tuple["AnnotatedDataset", str]:
    """The first of the splits that is there, and its name."""
    reasons = []
    for split in splits:
        try:
            return _read(data, split), split
        except DataError as error:
            if error.code != "SPLIT_MISSING":
                raise
            reasons.append(error.message)
    raise DataError("SPLIT_MISSING", f"{reasons[0]}; name one with --split")


def _held_out(dataset: "AnnotatedDataset", name: str, share: float, seed: int) -> TrainingData:
    from googlenet_rcnn.datasets.holdout import hold_out

    if not share:
        return TrainingData(name, dataset, None, dataset.findings)
    train, validation = hold_out(dataset, share, seed)
    kept = f"{name} without {len(validation.samples)} of {len(dataset.samples)} images"
    return TrainingData(kept, train, validation if validation.samples else None, dataset.findings)


def check_training_data(data: TrainingData, say: Callable[[str], None]) -> TrainingData:
    """The data without the validation images that are also trained on; what is odd is said.

    DataError with the first of what must be mended; some more of it is said before.
    """
    from googlenet_rcnn.datasets.inspection import inspect, inspect_sizes, inspect_splits
    from googlenet_rcnn.datasets.split_leaks import split_leaks

    findings = [*data.findings, *map(_needed, inspect(data.train, _FEW)), *inspect_sizes(data.train)]
    validation = data.validation
    if validation is not None:
        findings += [_needed(one) for one in inspect(validation, 0) if one.code not in _OF_TRAINING]
        findings += [*inspect_sizes(validation), *inspect_splits(data.train, validation)]
    if errors := [finding for finding in findings if finding.level == "error"]:
        _refuse(errors, data.name, say)
    rare = [finding for finding in findings if finding.code == "CLASS_RARE"]
    _warn([finding for finding in findings if finding.level == "warning" and finding not in rare], say)
    if rare:
        names = [f"{finding.place} ({finding.message.split()[0]})" for finding in rare]
        say(f"note: classes with fewer than {_FEW} objects to learn from: {_listed(names)}")
    if validation is None:
        return data
    leaks = split_leaks(data.train, validation)
    if not leaks:
        return data
    from googlenet_rcnn.datasets.holdout import choose_samples

    leaked = {leak.file for leak in leaks}
    kept = [index for index, sample in enumerate(validation.samples) if str(sample.path) not in leaked]
    shown = f"the first {leaks[0].file} {leaks[0].message.partition(';')[0]}"
    total = len(validation.samples)
    say(f"note: {total - len(kept)} of {total} validation images are left out: they are trained on ({shown})")
    return replace(data, validation=choose_samples(validation, kept) if kept else None)


def _needed(finding: "Finding") -> "Finding":
    return replace(finding, level="error") if finding.code in _NEEDED else finding


def _refuse(errors: Sequence["Finding"], name: str, say: Callable[[str], None]) -> None:
    first = errors[0]
    where = ": ".join(part for part in (first.file, first.place, first.message) if part)
    for finding in errors[1:_SHOWN]:
        say(f"also: {finding}")
    more = f" (the first of {len(errors)} errors in {name})" if len(errors) > 1 else ""
    raise DataError(first.code, where + more)


def _warn(findings: Sequence["Finding"], say: Callable[[str], None]) -> None:
    counts = Counter(finding.code for finding in findings)
    for code, count in counts.items():
        first = next(finding for finding in findings if finding.code == code)
        more = f" (and {count - 1} more)" if count > 1 else ""
        say(f"warning: {first}{more}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
