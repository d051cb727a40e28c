"""PASCAL VOC devkits: where 1-based inclusive corners become half-open boxes."""

import posixpath
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.types import GroundTruth, LabelSet, Sample
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.box_format import suspect_format
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses
from googlenet_rcnn.datasets.voc_xml import VocAnnotation, read_voc_xml

__all__ = ["is_voc", "read_voc", "read_voc_truth", "voc_splits", "voc_unlisted"]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")
_ONE_BASED = (-1.0, 0.0)
_ZERO_BASED = (0.0, 1.0)
_HALF_OPEN = (0.0, 0.0)


def is_voc(tree: TextTree) -> bool:
    """Whether a VOCdevkit, one of its years or the folder around it lies here."""
    return bool(_years(tree))


def voc_splits(tree: TextTree) -> list[str]:
    """Names of the lists of the devkit's only year, those of single classes (car_train) left out."""
    names = [name[:-4] for name in tree.names(_list_folder(tree, _year_folder(tree))) if name.endswith(".txt")]
    return [name for name in names if "_" not in name] or names


def voc_unlisted(tree: TextTree, ids: Collection[str]) -> list[Finding]:
    """A finding on each annotation of an image that is none of `ids`."""
    folder = posixpath.join(_year_folder(tree), "Annotations")
    names = [name for name in tree.names(folder) if name.endswith(".xml") and name[:-4] not in ids]
    message = "no split lists this image; list it, or leave it"
    return [Finding("ANN_UNLISTED", tree.where(f"{folder}/{name}"), "", message, "info") for name in names]


def read_voc(
    root: str | Path | TextTree, split: str, labels: LabelSet | None = None, findings: Findings | None = None
) -> AnnotatedDataset:
    """Reads a split of VOCdevkit, of one of its years, or of the only devkit or year below `root`.

    Boxes outside the image are clipped and empty ones dropped, corners that start at 0 are taken as such,
    each with a finding. A sample without annotation has truth None in a test split and is an error
    elsewhere. Labels default to `labels.txt` beside the annotations, or to VOC's 20.
    """
    tree = root if isinstance(root, TextTree) else TextTree(Path(root))
    findings = Findings() if findings is None else findings
    year = _year_folder(tree)
    own = posixpath.join(year, "labels.txt")
    labels = labels or load_labels(tree.root / own if tree.root.is_dir() and tree.has(own) else "voc20")
    ids = _read_list(tree, year, split, findings)
    annotations = [_annotation(tree, year, split, image_id, findings) for image_id in ids]
    unknown = UnknownClasses()
    for annotation, file in annotations:
        _note_unknown(annotation, labels, file, unknown)
    unknown.check(labels, "rename them or list them in labels.txt, one a line, beside Annotations", findings)
    place = tree.where(posixpath.join(year, "Annotations"))
    shift = _shift([annotation for annotation, _ in annotations if annotation], place, findings)
    samples = []
    for image_id, (annotation, file) in zip(ids, annotations, strict=True):
        pictures = tree.pictures / year / "JPEGImages"
        path, truth, whole = _picture(pictures, image_id), None, True
        if annotation:
            with findings.guard():
                path = _picture(pictures, image_id, annotation.filename, file)
            refused = findings.refused
            truth = _truth(annotation, labels, file, shift, findings)
            known = all(thing.name in labels.names for thing in annotation.objects)
            whole = annotation.whole and known and findings.refused == refused
        samples.append(Sample(image_id, path, truth, exhaustive=whole))
    return AnnotatedDataset(labels, tuple(samples), tuple(findings))


def read_voc_truth(path: Path, labels: LabelSet) -> GroundTruth:
    """The objects of one annotation file; DataError for a class that is none of the labels."""
    try:
        annotation = read_voc_xml(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError("ANN_MISSING", f"{path}: {error.strerror}; name a VOC annotation (.xml)") from error
    unknown = UnknownClasses()
    _note_unknown(annotation, labels, str(path), unknown)
    unknown.check(labels, "rename them, or choose weights that know them")
    return _truth(annotation, labels, str(path), _shift([annotation], str(path), Findings()), Findings())


def _note_unknown(annotation: VocAnnotation | None, labels: LabelSet, file: str, unknown: UnknownClasses) -> None:
    for thing in annotation.objects if annotation else ():
        if thing.name not in labels.names:
            unknown.add(thing.name, file, thing.place)


def _years(tree: TextTree) -> list[str]:
    """Folders that hold ImageSets, from the first place where there are any."""
    for folder in ("", "VOCdevkit"):
        names = tree.names(folder)
        if "ImageSets" in names:
            candidates = [folder]
        else:
            candidates = [posixpath.join(folder, name) for name in names if name.startswith("VOC")]
        years = [year for year in candidates if _list_folder(tree, year)]
        if years:
            return years
    return []


def _list_folder(tree: TextTree, year: str) -> str:
    sets = posixpath.join(year, "ImageSets")
    if tree.is_folder(f"{sets}/Main"):
        return f"{sets}/Main"
    return sets if any(name.endswith(".txt") for name in tree.names(sets)) else ""


def _year_folder(tree: TextTree) -> str:
    years = _years(tree)
    if not years:
        raise DataError("DATA_UNRECOGNISED", f"{tree.root}: no VOC devkit here, ImageSets/Main is missing")
    if len(years) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{tree.root}: choose one of {', '.join(map(tree.where, years))}")
    return years[0]


def _read_list(tree: TextTree, year: str, split: str, findings: Findings) -> list[str]:
    """Image ids of a split in order; a second column (per-class lists) is skipped."""
    folder = _list_folder(tree, year)
    name = posixpath.join(folder, inside(f"{split}.txt", tree.where(folder)))
    if not tree.has(name):
        known = ", ".join(voc_splits(tree)) or "none"
        raise DataError("SPLIT_MISSING", f"{tree.where(folder)}: there is no split {split!r}; available: {known}")
    ids: dict[str, int] = {}
    for line, words in enumerate(tree.rows(name), start=1):
        if words and words[0] in ids:
            reason = f"{words[0]} is also on line {ids[words[0]]}; remove one"
            findings.refuse(AnnotationError("DUPLICATE_ID", tree.where(name), f"line {line}", reason))
        elif words:
            with findings.guard():
                ids[inside(words[0], tree.where(name), f"line {line}")] = line
    return list(ids)


def _annotation(
    tree: TextTree, year: str, split: str, image_id: str, findings: Findings
) -> tuple[VocAnnotation | None, str]:
    """The annotation of an image, None where it has none or none that can be read, and the path of its file."""
    name = posixpath.join(year, "Annotations", f"{image_id}.xml")
    file = tree.where(name)
    if tree.has(name):
        picture = _picture(tree.pictures / year / "JPEGImages", image_id)
        with findings.guard(file):
            return read_voc_xml(tree.read(name), file, findings, lambda: image_size(picture)), file
    elif not split.startswith("test"):
        reason = f"image {image_id} of split {split} has no annotation file; add one, even if empty"
        findings.refuse(AnnotationError("ANN_MISSING", file, "", reason))
    return None, file


def _shift(annotations: Sequence[VocAnnotation], file: str, findings: Findings) -> tuple[float, float]:
    """What to add to the first and to the second corners; over the whole split, since one box cannot tell.

    VOC counts pixels from 1. Where more boxes begin at 0 than at 1, whoever wrote them counted from 0, and
    then the last column is width - 1 (inclusive) or width (half-open), whichever occurs more often.
    """
    things = [(thing.corners, annotation.size) for annotation in annotations for thing in annotation.objects]
    corners = np.array([corners for corners, _ in things], dtype=np.float64).reshape(-1, 4)
    sizes = np.array([(size.width, size.height) for _, size in things], dtype=np.int64).reshape(-1, 2)
    other = suspect_format(corners, sizes, "x1 y1 x2 y2")
    if other:
        message = f"they look like {other}; write xmin ymin xmax ymax in pixels"
        findings.append(Finding("BOX_FORMAT_SUSPECT", file, f"{len(corners)} boxes", message))
    if (corners[:, :2] == 0).sum() <= (corners[:, :2] == 1).sum():
        return _ONE_BASED
    half_open = (corners[:, 2:] == sizes).sum() > (corners[:, 2:] == sizes - 1).sum()
    message = f"corners start at 0 and were read as {'half-open' if half_open else 'inclusive'}; VOC starts at 1"
    findings.append(Finding("VOC_ZERO_BASED", file, f"{_zero_boxes(corners)} of {len(corners)} boxes", message, "info"))
    return _HALF_OPEN if half_open else _ZERO_BASED


def _zero_boxes(corners: NDArray[np.float64]) -> int:
    return int((corners[:, :2] == 0).any(axis=1).sum())


def _picture(folder: Path, image_id: str, declared: str = "", file: str = "") -> Path:
    """Where the pixels lie: the file named by the id, or else the one the annotation in `file` declares."""
    default = folder / f"{image_id}.jpg"
    if declared:
        inside(declared, file, "filename")
    if default.is_file():
        return default
    candidates = [folder / f"{image_id}{suffix}" for suffix in _SUFFIXES[1:]]
    if declared:
        candidates.append(folder / declared)
    return next((path for path in candidates if path.is_file()), default)


def _truth(
    annotation: VocAnnotation, labels: LabelSet, file: str, shift: tuple[float, float], findings: Findings
) -> GroundTruth:
    """Half-open, clipped boxes of the objects that have a label; what was changed is added to `findings`."""
    things = [thing for thing in annotation.objects if thing.name in labels.names]
    first, second = shift
    return fit(
        [(x1 + first, y1 + first, x2 + second, y2 + second) for x1, y1, x2, y2 in (one.corners for one in things)],
        [labels.index(thing.name) for thing in things],
        annotation.size,
        file,
        lambda row: f"{things[row].place} ({things[row].name})",
        findings,
        ignore=[thing.difficult for thing in things],
    )
