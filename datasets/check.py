"""A whole data set looked over: every split, every file, every picture; nothing here changes or stops anything."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from googlenet_rcnn.core.decoder import Decoder
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.class_folders import LabelledImages, inspect_labelled
from googlenet_rcnn.datasets.findings import Finding, Findings
from googlenet_rcnn.datasets.inspection import inspect, inspect_size, inspect_splits
from googlenet_rcnn.datasets.picture import Picture, look_at
from googlenet_rcnn.datasets.rules import RULES
from googlenet_rcnn.datasets.split_leaks import leaks_between
from googlenet_rcnn.datasets.tree import Layout

__all__ = ["Check", "CheckedSplit", "check_dataset", "choose_splits"]

_UNIONS = {"trainval": ("train", "val"), "val": ("val1", "val2")}
_FEWEST = 10
_SERIOUS = ("BOX_DEGENERATE", "IMG_MISSING")  # who reads to train or score may go on, who checks wants to know
_OF_TRAINING = ("FEW_IMAGES", "NO_OBJECTS", "CLASS_RARE", "CLASS_SIMILAR")
_TOLD_ELSEWHERE = ("IMG_MISSING", "ANN_MISSING")  # file by file rather than as a number


@dataclass(frozen=True)
class CheckedSplit:
    """A split as far as it could be read, and what was found in it."""

    name: str
    dataset: AnnotatedDataset | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Check:
    """What was found in a data set, and each picture that was looked at."""

    layout: Layout
    splits: tuple[CheckedSplit, ...]
    pictures: dict[Path, Picture] = field(repr=False)


def choose_splits(layout: Layout, asked: Sequence[str] = ()) -> list[str]:
    """The splits that were asked for, or all that are there but for unions of others; DataError if one is missing."""
    there = layout.splits()
    if missing := [name for name in asked if name not in there]:
        known = ", ".join(there) or "none"
        raise DataError("SPLIT_MISSING", f"there is no split {missing[0]!r}; available: {known}")
    return list(asked) or [name for name in there if name not in _UNIONS or not set(_UNIONS[name]) <= set(there)]


def check_dataset(
    layout: Layout,
    splits: Sequence[str],
    images: bool = True,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Check:
    """Reads the splits with all errors collected and looks at every picture once, unless `images` is false.

    `progress` is told how many pictures of how many were looked at.
    """
    read = [_read(layout, name) for name in splits]
    pictures: dict[Path, Picture] = {}
    if images:
        paths = list(dict.fromkeys(sample.path for one in read if one.dataset for sample in one.dataset.samples))
        pictures = dict(zip(paths, _look(paths, threads, progress), strict=True))
    first = next((one.name for one in read if one.name == "train"), splits[0] if splits else "")
    checked = [replace(one, findings=(*one.findings, *_inspected(one, pictures, one.name == first))) for one in read]
    checked = _compared(checked, pictures, first)
    if set(layout.splits()) == set(splits) and checked:
        listed = {sample.image_id for one in read if one.dataset for sample in one.dataset.samples}
        checked[-1] = replace(checked[-1], findings=(*checked[-1].findings, *layout.unlisted(listed)))
    return Check(layout, tuple(_each_once(checked)), pictures)


def _read(layout: Layout, name: str) -> CheckedSplit:
    findings = Findings(collected=True)
    dataset = None
    with findings.guard():
        dataset = layout.read(name, findings)
    return CheckedSplit(name, dataset, tuple(findings))


def _look(paths: Sequence[Path], threads: int, progress: Callable[[int, int], None]) -> Iterable[Picture]:
    with Decoder() as decoder, ThreadPoolExecutor(threads) as pool:
        for done, picture in enumerate(pool.map(lambda path: look_at(path, decoder.read), paths), start=1):
            progress(done, len(paths))
            yield picture


def _inspected(split: CheckedSplit, pictures: dict[Path, Picture], training: bool) -> list[Finding]:
    """What is odd about the content of a split, and about its pictures."""
    if split.dataset is None:
        return []
    passed_over = _TOLD_ELSEWHERE if training else (*_TOLD_ELSEWHERE, *_OF_TRAINING)
    if isinstance(split.dataset, LabelledImages):
        found = inspect_labelled(split.dataset, _FEWEST)
    else:
        found = inspect(split.dataset, _FEWEST)
    found = [one for one in found if one.code not in passed_over]
    seen: dict[str, Path] = {}
    for sample in split.dataset.samples:
        picture = pictures.get(sample.path)
        if picture is None:
            continue
        if picture.error is not None:
            found.append(Finding.of(picture.error, sample.path))
        if picture.size is not None:
            found += inspect_size(sample, picture.size)
        found += [Finding(code, str(sample.path), "", RULES[code].meaning, "info") for code in picture.warnings]
        if picture.digest and (other := seen.setdefault(picture.digest, sample.path)) != sample.path:
            found.append(Finding("IMG_TWICE", str(sample.path), "", f"the same file as {other}; keep one"))
    return found


def _compared(splits: Sequence[CheckedSplit], pictures: dict[Path, Picture], first: str) -> list[CheckedSplit]:
    """The splits with what each has in common with an earlier one, and what it has that training never sees."""
    found = {split.name: list(split.findings) for split in splits}
    whole = [(split.name, split.dataset) for split in splits if split.dataset is not None]
    for (one, a), (other, b) in combinations(whole, 2):
        if one in _UNIONS.get(other, ()) or other in _UNIONS.get(one, ()):
            continue
        sides = [
            [(sample.path, pictures.get(sample.path, Picture(None))) for sample in side.samples] for side in (a, b)
        ]
        found[other] += leaks_between(*sides)
        if a.labels.names != b.labels.names:
            message = f"the classes are not those of {one}; list the same in both"
            found[other].append(Finding("LABELS_DIFFER", "", other, message, "error"))
        elif one == first == "train":
            found[other] += inspect_splits(a, b)
    return [replace(split, findings=tuple(found[split.name])) for split in splits]


def _each_once(splits: Sequence[CheckedSplit]) -> Iterable[CheckedSplit]:
    """The splits with each finding in the first only that has it, and as serious as it is for a check."""
    told: set[Finding] = set()
    for split in splits:
        found = [replace(one, level="error") if one.code in _SERIOUS else one for one in split.findings]
        kept = tuple(one for one in dict.fromkeys(found) if one not in told)
        told.update(kept)
        yield replace(split, findings=kept)
