"""Classification scores for people and for programs."""

import math
from typing import Any

import numpy as np

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.topk import Labels, class_accuracy, confusions, top_k_accuracy

__all__ = ["classification_metrics", "classification_table"]

_PAIRS = 20
_SHOWN = 10


def classification_metrics(ranked: Labels, truth: Labels, labels: LabelSet) -> dict[str, Any]:
    """Top-1 and top-5 accuracy of ranked classes [N,5], of all images and of each class, and the worst pairs.

    What is not defined without images is None (null); classes without images are left out.
    """
    top1, top5 = (class_accuracy(ranked, truth, len(labels), k) for k in (1, 5))
    counts = np.bincount(truth, minlength=len(labels))
    return {
        "images": len(truth),
        "top1": _value(top_k_accuracy(ranked, truth, 1)),
        "top5": _value(top_k_accuracy(ranked, truth, 5)),
        "classes": {
            labels.names[label]: {
                "images": int(counts[label]),
                "top1": float(top1[label]),
                "top5": float(top5[label]),
            }
            for label in np.flatnonzero(counts)
        },
        "confusions": [
            {"label": labels.names[pair.label], "taken_for": labels.names[pair.taken_for], "images": pair.images}
            for pair in confusions(ranked, truth, _PAIRS)
        ],
    }


def classification_table(metrics: dict[str, Any]) -> str:
    """The classes that fare worst, the worst pairs, and the figures of all images below."""
    classes = sorted(metrics["classes"].items(), key=lambda item: (item[1]["top1"], item[1]["top5"]))
    width = max(len("class"), *(len(name) for name, _ in classes[:_SHOWN]), 0)
    lines = [f"{'class':<{width}}   top-1   top-5  images"]
    for name, one in classes[:_SHOWN]:
        lines.append(f"{name:<{width}}  {one['top1']:6.4f}  {one['top5']:6.4f}  {one['images']:6d}")
    if len(classes) > _SHOWN:
        lines.append(f"... and {len(classes) - _SHOWN} classes that fare better or equally")
    lines += [f"{pair['label']} taken for {pair['taken_for']}: {pair['images']}" for pair in metrics["confusions"][:5]]
    shown = ["-" if metrics[key] is None else f"{metrics[key]:.4f}" for key in ("top1", "top5")]
    what = f"{metrics['images']} images, {metrics['crops']} crops, {metrics['models']} models"
    lines.append(f"top-1 {shown[0]}   top-5 {shown[1]}   ({what})")
    return "\n".join(lines)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else number
