"""YOLO's text files as Ultralytics lays them out: shares of the image become half-open boxes in pixels."""

import posixpath
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.numerals import whole_number
from googlenet_rcnn.core.types import GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.box_format import suspect_format
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses
from googlenet_rcnn.datasets.yolo_yaml import read_data_yaml

__all__ = ["is_yolo", "read_yolo", "yolo_splits"]

_YAML = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_LISTS = ("classes.txt", "obj.names")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif")


def is_yolo(root: Path) -> bool:
    """Whether images/ and labels/ lie here, or within the folders of splits."""
    homes = [root, *(entry for entry in sorted(root.iterdir()) if entry.is_dir())] if root.is_dir() else []
    return any((home / "images").is_dir() and (home / "labels").is_dir() for home in homes)


def yolo_splits(root: Path) -> list[str]:
    """Names of the folders of images, and of those that data.yaml names."""
    named = [entry.name for entry in sorted((root / "images").glob("*/"))]
    named += [entry.parent.name for entry in sorted(root.glob("*/images"))]
    return list(dict.fromkeys(named))


def read_yolo(root: str | Path, split: str, findings: Findings | None = None) -> AnnotatedDataset:
    """Reads a split: images in the order of their names, each with the text file of its name below labels/.

    An empty text file says that there is nothing; a missing one is taken so, with a finding. Sizes come from
    the headers of the images. Boxes are clipped, those without area dropped, each with a finding.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError("DATA_MISSING", f"{root}: there is no such folder; check --data")
    labels, settings = _labels(root)
    pictures, texts = _folders(root, split, settings)
    findings = Findings() if findings is None else findings
    unknown = UnknownClasses()
    samples, rows, sizes = [], [np.zeros((0, 4))], [np.zeros((0, 2), dtype=np.int64)]
    paths = sorted(path for path in pictures.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    stems: dict[str, Path] = {}
    for path in paths:
        image_id = str(PurePosixPath(path.relative_to(pictures).as_posix()).with_suffix(""))
        bad, file = findings.refused + unknown.total, texts / f"{image_id}.txt"
        with findings.guard(path):
            if image_id in stems:
                raise AnnotationError("DUPLICATE_ID", path, "", f"{stems[image_id].name} has the same name; rename one")
            stems[image_id] = path
            size = image_size(path)
            if not file.is_file():
                message = "no such file; the image counts as one without objects"
                findings.append(Finding("ANN_MISSING", str(file), "", message))
            classes, boxes, lines = _read_text(file, len(labels), unknown, findings)
            rows.append(boxes)
            sizes.append(np.tile((size.width, size.height), (len(boxes), 1)))
            truth = _truth(boxes, classes, lines, size, str(file), findings)
            whole = findings.refused + unknown.total == bad
            samples.append(Sample(image_id, path, truth, exhaustive=whole))
    unknown.check(labels, "numbers start at 0; list every class in data.yaml", findings)
    for file in sorted(texts.rglob("*.txt")):
        if file.relative_to(texts).as_posix()[:-4] not in stems and file.name not in _LISTS:
            findings.append(Finding("IMG_MISSING", str(file), "", "there is no image of this name; it was left out"))
    everything = np.concatenate(rows)
    if other := suspect_format(everything, np.concatenate(sizes), "centre width height", normalised=True):
        message = f"they look like {other}; write class, centre, width, height as shares of the image"
        findings.append(Finding("BOX_FORMAT_SUSPECT", str(texts), f"{len(everything)} boxes", message))
    return AnnotatedDataset(labels, tuple(samples), tuple(findings))


def _labels(root: Path) -> tuple[LabelSet, dict[str, str | list[str]]]:
    """Class names from the YAML file or from a list, and what else the YAML file says."""
    for path in (root / name for name in _YAML):
        if path.is_file():
            try:
                settings = read_data_yaml(path.read_text(encoding="utf-8-sig"), str(path))
            except (OSError, UnicodeDecodeError) as error:
                raise DataError(
                    "LABELS_UNREADABLE", f"{path}: this is not a readable UTF-8 file; save it so"
                ) from error
            names = settings.get("names")
            if isinstance(names, list):
                count = settings.get("nc", str(len(names)))
                if count != str(len(names)):
                    raise DataError("LABELS_INVALID", f"{path}: nc is {count}, but there are {len(names)} names")
                try:
                    return LabelSet(tuple(names)), settings
                except ValueError as error:
                    raise DataError("LABELS_INVALID", f"{path}: {error}") from error
    for path in (root / folder / name for name in _LISTS for folder in ("", "labels")):
        if path.is_file():
            return load_labels(path), {}
    raise DataError("LABELS_MISSING", f"{root}: no names in {' or '.join((*_YAML[:1], *_LISTS[:1]))}; add the classes")


def _folders(root: Path, split: str, settings: dict[str, str | list[str]]) -> tuple[Path, Path]:
    """Folders of the images and of the texts of a split: where data.yaml says, or where they usually are."""
    inside(split, root)
    base, said = settings.get("path", "."), settings.get(split, "")
    # Roboflow writes ../train/images, which is meant from the folder within; others their own machine's path.
    written = posixpath.normpath(posixpath.join(str(base), str(said))) if said else ""
    homes = [written] if written and not written.startswith(("/", "..")) and "images" in written.split("/") else []
    homes += [f"images/{split}", f"{split}/images"]
    for home in homes:
        if (root / home).is_dir():
            parts = home.split("/")
            last = len(parts) - 1 - parts[::-1].index("images")
            return root / home, root.joinpath(*parts[:last], "labels", *parts[last + 1 :])
    there = [f"images/{entry.name}" for entry in sorted((root / "images").glob("*/"))]
    there += [f"{entry.parent.name}/images" for entry in sorted(root.glob("*/images"))]
    looked = " and ".join(dict.fromkeys(homes))
    raise DataError("SPLIT_MISSING", f"{root}: there is no {looked}; there are: {', '.join(there) or 'none'}")


def _read_text(
    file: Path, count: int, unknown: UnknownClasses, findings: Findings
) -> tuple[list[int], NDArray[np.float64], list[int]]:
    """Classes, boxes (centre, sides as shares) [N,4] and lines of one image, as written; none if there is no file."""
    try:
        text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise AnnotationError("ANN_PARSE", file, "", "this is not a readable UTF-8 text; save it so") from error
    classes: list[int] = []
    boxes: list[list[float]] = []
    lines: list[int] = []
    for line, words in enumerate(map(str.split, text.splitlines()), start=1):
        if not words:
            continue
        place = f"line {line}"
        with findings.guard(file):
            number, box = _object(words, file, place)
            if number >= count:
                unknown.add(words[0], file, place)
                if findings.collected:
                    continue
            classes.append(number if number < count else 0)
            boxes.append(box)
            lines.append(line)
    return classes, np.array(boxes, dtype=np.float64).reshape(-1, 4), lines


def _object(words: list[str], file: Path, place: str) -> tuple[int, list[float]]:
    """The number of the class and the four shares of a line."""
    if len(words) != 5:
        hint = "; separate with spaces" if "," in "".join(words) else ""
        reason = f"expected class, centre x y, width, height, found {len(words)} columns{hint}"
        raise AnnotationError("ANN_COLUMNS", file, place, reason)
    box = [_share(word, file, place) for word in words[1:]]
    if box[2] < 0 or box[3] < 0:
        reason = f"width and height are at least 0, found {' '.join(words[3:])[:40]}"
        raise AnnotationError("BOX_NEGATIVE", file, place, reason)
    if (number := whole_number(words[0])) is None:
        reason = f"{words[0][:40]!r} is no class number from 0; write its number"
        raise AnnotationError("CLASS_NOT_A_NUMBER", file, place, reason)
    return number, box


def _share(word: str, file: Path, place: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        reason = f"{word[:40]!r} is not a finite number; write a share of the image"
        raise AnnotationError("ANN_BAD_NUMBER", file, place, reason)
    return value


def _truth(
    boxes: NDArray[np.float64], classes: list[int], lines: list[int], size: Size, file: str, findings: Findings
) -> GroundTruth:
    half = boxes[:, 2:] / 2
    corners = np.hstack([boxes[:, :2] - half, boxes[:, :2] + half]) * np.tile((size.width, size.height), 2)
    # Shares have few digits: a hundredth of a pixel beyond the border is their rounding, no mistake.
    limit = np.tile((size.width, size.height), 2)
    corners = np.where(np.abs(corners) < 0.01, 0.0, np.where(np.abs(corners - limit) < 0.01, limit, corners))
    return fit(corners, classes, size, file, lambda row: f"line {lines[row]}", findings)
