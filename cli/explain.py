"""`explain`: one annotated image in, what became of each of its objects out."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet_rcnn.core.errors import DataError, Exit, UsageError
from googlenet_rcnn.core.types import GroundTruth, LabelSet, Sample

from .boundary import one_line
from .inputs import ImageFile
from .pictures import refuse_existing, write_jpeg
from .rows import escaped

if TYPE_CHECKING:
    from googlenet_rcnn.eval.fate import Fate

__all__ = ["ExplainOptions", "run_explain"]


@dataclass(frozen=True)
class ExplainOptions:
    """Everything `explain` can be told; what detection is told has detection's defaults."""

    image: str
    data: Path | None = None
    split: str | None = None
    truth: Path | None = None
    weights: tuple[str, ...] = ()
    method: str = "ss"
    engine: str = "native"
    preset: str = "fast"
    superpixel_scale: float = 2.0
    score_threshold: float | None = None
    nms_iou: float = 0.3
    max_detections: int = 100
    mode: str = "fast"
    screen_vote: float | None = None
    box_regression: bool = True
    box_voting: float = 0.5
    flip: bool = False
    seed: int = 0
    runtime: str = "auto"
    multibox_weights: str = "multibox-voc07"
    multibox_k: int = 200
    multibox_nms: float | None = None
    draw: Path | None = None
    overwrite: bool = False
    threads: int | None = None


def run_explain(options: ExplainOptions) -> int:
    """Detects in the image and tells each object's fate: a table on the terminal, JSON when piped, a picture."""
    import numpy as np

    from googlenet_rcnn.api.weights_files import weight_labels
    from googlenet_rcnn.core.samples import sample_pixels
    from googlenet_rcnn.eval.fate import object_fates

    from .detection_parts import build_detection
    from .draw.fates import draw_fates

    _check(options)
    truth = _truth(options, weight_labels(options.weights))
    detector, source = build_detection(options, lambda message: print(message, file=sys.stderr))
    file = ImageFile(Path(options.image).stem, options.image)
    pixels = sample_pixels(Sample(file.image_id, Path(file.path), truth))
    proposals = source.proposals(file, pixels)
    result = detector.classify(pixels, proposals)
    probabilities = result.scores.probabilities
    offsets = result.scores.offsets if detector.selection.box_regression else None
    fates = object_fates(
        _class_boxes(proposals.boxes.coordinates, offsets, probabilities.shape[1] - 1, truth),
        probabilities,
        result.detections,
        truth,
        detector.selection.score_threshold,
        options.nms_iou,
        options.max_detections,
        np.isin(np.arange(len(proposals)), result.scored),
    )
    if options.draw is not None:
        write_jpeg(options.draw, draw_fates(pixels, truth, fates, detector.labels))
    row = _row(file, truth, fates, detector.labels)
    row |= {"proposals": len(proposals), "detections": len(result.detections)}
    if sys.stdout.isatty():
        _print_table(row)
    else:
        print(json.dumps(row, indent=2))
    return Exit.OK


def _check(options: ExplainOptions) -> None:
    if (options.truth is None) == (options.data is None) or (options.data is None) != (options.split is None):
        raise UsageError("TRUTH_MISSING", "say where the objects are: --data ROOT --split NAME, or --truth FILE.xml")
    if options.mode not in ("fast", "exhaustive"):
        raise UsageError("MODE_UNKNOWN", f"--mode {options.mode}: known are fast, exhaustive")
    if options.threads is not None and options.threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    if options.draw is not None:
        if options.draw.suffix.lower() not in (".jpg", ".jpeg"):
            raise UsageError("FLAG_VALUE", f"--draw {options.draw}: name a .jpg file")
        if not options.overwrite:
            refuse_existing([options.draw])


def _truth(options: ExplainOptions, labels: LabelSet) -> GroundTruth:
    """The image's objects, with the detector's labels."""
    import numpy as np

    from googlenet_rcnn.datasets.tree import read_dataset
    from googlenet_rcnn.datasets.voc import read_voc_truth

    if options.truth is not None:
        return read_voc_truth(options.truth, labels)
    assert options.data is not None
    assert options.split is not None
    dataset = read_dataset(options.data, options.split)
    image_id = Path(options.image).stem
    sample = next((sample for sample in dataset.samples if Path(sample.image_id).name == image_id), None)
    if sample is None or sample.truth is None:
        what = f"split {options.split} of {options.data} has no {'image' if sample is None else 'annotation of'}"
        raise DataError("IMAGE_UNKNOWN", f"{options.image}: {what} {image_id!r}; choose its own split, or --truth")
    truth = sample.truth
    names = [dataset.labels.names[label] for label in truth.labels]
    unknown = sorted(set(names) - set(labels.names))
    if unknown:
        message = f"{options.image}: its {', '.join(unknown)} is no class of the detector; choose other --weights"
        raise DataError("CLASS_UNKNOWN", message)
    return replace(truth, labels=np.array([labels.index(name) for name in names], dtype=np.int64))


def _class_boxes(boxes: Any, offsets: Any, classes: int, truth: GroundTruth) -> Any:
    """Where each proposal [N,4] lies for each class, [N,C,4]: box regression moves it for each differently."""
    import numpy as np

    from googlenet_rcnn.detector.box_regression import move_boxes

    if offsets is None:
        return np.broadcast_to(boxes[:, None], (len(boxes), classes, 4))
    return np.stack([move_boxes(boxes, offsets[:, label], truth.size) for label in range(classes)], axis=1)


def _row(file: ImageFile, truth: GroundTruth, fates: "list[Fate]", labels: LabelSet) -> dict[str, Any]:
    """The JSON of an image: its objects in the order of the annotation, each with its fate."""

    def boxed(found: Any) -> dict[str, Any] | None:
        if found is None:
            return None
        rounded = {"score": float(f"{found.score:.7g}"), "overlap": round(found.overlap, 4)}
        return {"label": labels.names[found.label], "box": [round(value, 2) for value in found.box], **rounded}

    return {
        "schema": 1,
        "image_id": escaped(file.image_id),
        "path": escaped(file.path),
        "width": truth.size.width,
        "height": truth.size.height,
        "objects": [
            {
                "label": labels.names[label],
                "box": [round(float(value), 2) for value in box],
                "difficult": bool(ignored),
                "fate": str(fate.kind),
                "best": boxed(fate.best),
                "rank": fate.rank,
                "cause": boxed(fate.cause),
            }
            for box, label, ignored, fate in zip(
                truth.boxes.coordinates, truth.labels, truth.ignore, fates, strict=True
            )
        ],
    }


def _print_table(row: dict[str, Any]) -> None:
    objects = row["objects"]
    counts = f"{row['proposals']} proposals, {row['detections']} detections, {len(objects)} objects"
    print(one_line(f"{row['path']}  {row['width']}x{row['height']}, {counts}"))
    if not objects:
        print("  no object is annotated")
    names = [
        f"{number} {one['label']}{' (difficult)' if one['difficult'] else ''}"
        for number, one in enumerate(objects, start=1)
    ]
    width = max(map(len, names), default=0)
    for name, one in zip(names, objects, strict=True):
        print(f"  {name:<{width}}  {one['fate']:<26}  {_reason(one)}")


def _reason(one: dict[str, Any]) -> str:
    """The figures behind a fate."""
    best, cause = one["best"], one["cause"]
    if best is None:
        return "nothing was proposed"
    text = f"score {best['score']:.3f}, rank {one['rank']} of its class, overlap {best['overlap']:.2f}"
    if cause is None:
        return text
    x1, y1, x2, y2 = cause["box"]
    place = f"x {x1:.0f}..{x2:.0f}  y {y1:.0f}..{y2:.0f}"
    return f"{text}; lost to {cause['label']} {cause['score']:.3f}, overlap {cause['overlap']:.2f}, at {place}"
