"""Label Studio's JSON export: rectangles in percent of their image become half-open boxes in pixels."""

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.types import LabelSet, Sample, Size
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.json_fields import JsonFields
from googlenet_rcnn.datasets.json_file import read_json
from googlenet_rcnn.datasets.turned_box import around_turned

__all__ = ["ONLY_SPLIT", "is_label_studio", "read_label_studio"]

ONLY_SPLIT = "default"
_SNIFFED = 1 << 16
_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # what Label Studio puts before the names of uploaded files
_SHAPES = ("polygonlabels", "brushlabels", "ellipselabels", "keypointlabels")


class _Box(NamedTuple):
    """A rectangle with its class, and its corners in pixels."""

    name: str
    corners: tuple[float, float, float, float]
    place: str


class _Task(NamedTuple):
    image_id: str
    path: Path
    size: Size
    boxes: list[_Box]
    whole: bool


def is_label_studio(root: Path) -> bool:
    """Whether this is such an export, or a folder with one at its top."""
    return _file(root) is not None


def read_label_studio(root: str | Path, split: str, findings: Findings | None = None) -> AnnotatedDataset:
    """Reads the tasks of an export that were annotated, in order; one without any box is an image without objects.

    The export has the one split `default`. A turned rectangle becomes the box around it, with a finding; of
    several annotations of an image the one marked as ground truth counts, or the first. Labels are the names that
    occur, sorted. Pictures are looked for beside the export and in `images`.
    """
    path = _file(Path(root))
    if path is None:
        raise DataError("DATA_UNRECOGNISED", f"{root}: no JSON export of Label Studio")
    if split != ONLY_SPLIT:
        raise DataError("SPLIT_MISSING", f"{path}: the split of an export is {ONLY_SPLIT!r}, there is no {split!r}")
    findings = Findings() if findings is None else findings
    content = read_json(path)
    if not isinstance(content, list):
        raise AnnotationError("ANN_BAD_FIELD", path, "", "expected a list of tasks; export as JSON")
    tasks: dict[str, _Task] = {}
    bare: list[str] = []
    for number, one in enumerate(content):
        with findings.guard(path):
            fields = JsonFields(path, f"[{number}]", one)
            chosen = _chosen(fields, findings)
            if chosen is None:
                bare.append(fields.place)
                continue
            task = _task(fields, chosen, findings)
            if task.image_id in tasks:
                raise AnnotationError("DUPLICATE_ID", path, fields.place, f"{task.image_id} is there twice; rename one")
            tasks[task.image_id] = task
    if bare:
        message = (
            f"{len(bare)} tasks without an annotation are left out; submit an empty one where nothing is to be seen"
        )
        findings.append(Finding("NOT_ANNOTATED", str(path), bare[0], message))
    names = sorted({box.name for task in tasks.values() for box in task.boxes})
    if not names:
        raise AnnotationError("LABELS_MISSING", path, "", "no rectangle with a label in it; annotate some images")
    labels = LabelSet(tuple(names))
    samples = []
    for task in tasks.values():
        refused = findings.refused
        truth = fit(
            [box.corners for box in task.boxes],
            [labels.index(box.name) for box in task.boxes],
            task.size,
            str(path),
            lambda row, boxes=task.boxes: f"{boxes[row].place} ({boxes[row].name})",  # type: ignore[misc]
            findings,
        )
        whole = task.whole and findings.refused == refused
        samples.append(Sample(task.image_id, task.path, truth, exhaustive=whole))
    return AnnotatedDataset(labels, tuple(samples), tuple(findings))


def _file(root: Path) -> Path | None:
    """The export: a list in JSON, which in a folder must be the only one with annotations."""
    if root.is_file():
        return root if root.suffix == ".json" and _begin_of_list(root) else None
    files = [path for path in sorted(root.glob("*.json")) if path.is_file()]
    found = [path for path in files if b'"annotations"' in _begin_of_list(path)]
    return found[0] if len(found) == 1 else None


def _begin_of_list(path: Path) -> bytes:
    """The first bytes of a file that holds a list; none of any other."""
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return b""
    return start if start.startswith(b"[") else b""


def _chosen(task: JsonFields, findings: Findings) -> JsonFields | None:
    """The annotation of a task that counts; None if it was never annotated, or skipped."""
    if "annotations" not in task.content:
        raise task.error("ANN_MISSING_FIELD", "annotations", "missing; export as JSON, not as JSON-MIN")
    every = [
        JsonFields(task.file, task.path(f"annotations[{number}]"), one)
        for number, one in enumerate(task.list("annotations"))
    ]
    kept = [one for one in every if not one.content.get("was_cancelled")]
    kept.sort(key=lambda one: not one.content.get("ground_truth"))
    if len(kept) > 1:
        message = f"one of {len(kept)} annotations of this image; keep the best of them, or mark it as ground truth"
        findings.append(Finding("ANN_SEVERAL", str(task.file), kept[0].place, message))
    return kept[0] if kept else None


def _task(task: JsonFields, annotation: JsonFields, findings: Findings) -> _Task:
    path = _picture(task)
    results = [
        JsonFields(task.file, annotation.path(f"result[{number}]"), one)
        for number, one in enumerate(annotation.list("result"))
    ]
    sized = next((one for one in results if "original_width" in one.content), None)
    size = Size(sized.integer("original_height"), sized.integer("original_width")) if sized else image_size(path)
    if min(size) < 1:
        raise AnnotationError("SIZE_MISMATCH", task.file, task.place, f"{size.width}x{size.height} is impossible")
    boxes: list[_Box] = []
    refused = findings.refused
    outlines = 0
    for result in results:
        kind = result.content.get("type")
        outlines += kind in _SHAPES
        if kind in ("rectanglelabels", "labels") and "width" in result.object("value").content:
            with findings.guard(task.file):
                boxes += _boxes(result.object("value"), str(kind), size, findings)
    if outlines:
        message = f"{outlines} outlines or points have no box and are left out; draw rectangles"
        findings.append(Finding("SHAPE_IGNORED", str(task.file), task.place, message))
    return _Task(path.stem, path, size, boxes, findings.refused == refused and not outlines)


def _boxes(value: JsonFields, kind: str, size: Size, findings: Findings) -> list[_Box]:
    """The box of a rectangle, once for each of its labels."""
    x, y, width, height = (value.number(key) for key in ("x", "y", "width", "height"))
    turn = value.number("rotation") if "rotation" in value.content else 0.0
    if width < 0 or height < 0:
        raise value.error("BOX_NEGATIVE", "width", "width and height are at least 0")
    x1, x2 = (share / 100 * size.width for share in (x, x + width))
    y1, y2 = (share / 100 * size.height for share in (y, y + height))
    corners = (x1, y1, x2, y2)
    if turn % 360:
        corners = around_turned(corners, turn, pivot=(x1, y1))
        message = f"turned by {turn:g} degrees; the box around it was taken"
        findings.append(Finding("BOX_ROTATED", str(value.file), value.place, message, "info"))
    names: list[Any] = value.list(kind)
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise value.bad(kind, "the names of labels")
    return [_Box(name.strip(), corners, value.place) for name in names]


def _picture(task: JsonFields) -> Path:
    """Where the image of a task lies: its file's name, with or without what an upload puts before it."""
    data = task.object("data")
    url = urlsplit(data.text("image"))
    local = parse_qs(url.query).get("d", [""])[0]
    written = inside(unquote(local or url.path).lstrip("/"), task.file, data.path("image"))
    name = posixpath.basename(written)
    for home in (task.file.parent, task.file.parent / "images"):
        for candidate in dict.fromkeys((written, name, _UPLOAD.sub("", name, count=1))):
            if (home / candidate).is_file():
                return home / candidate
    return task.file.parent / "images" / PurePosixPath(name)
