"""COCO's twelve numbers by pycocotools, with ids from 1 and its printing kept quiet."""

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FIGURES = (
    "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
    "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large",
)  # fmt: skip


def reference_coco(table, dataset):
    """The twelve numbers by name; NaN where pycocotools says -1."""
    annotations = []
    for place, sample in enumerate(dataset.samples):
        truth = sample.truth
        boxes = truth.boxes.coordinates.astype(np.float64)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) if truth.areas is None else truth.areas
        for box, label, crowd, area in zip(boxes, truth.labels, truth.ignore, areas, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": sample.number or place + 1,
                    "category_id": int(label) + 1,
                    "bbox": _xywh(box),
                    "area": float(area),
                    "iscrowd": int(crowd),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": one.number or place + 1} for place, one in enumerate(dataset.samples)],
            "categories": [{"id": label + 1} for label in range(len(dataset.labels))],
            "annotations": annotations,
        }
        truth.createIndex()
        results = [
            {
                "image_id": dataset.samples[image].number or int(image) + 1,
                "category_id": int(label) + 1,
                "bbox": _xywh(box),
                "score": float(score),
            }
            for image, label, score, box in zip(*vars(table).values(), strict=True)
        ]
        scored = COCOeval(truth, truth.loadRes(results) if results else COCO(), "bbox")
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return {
        name: float("nan") if value == -1 else float(value) for name, value in zip(FIGURES, scored.stats, strict=True)
    }


def _xywh(box):
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]
