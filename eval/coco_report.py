"""COCO's figures for people and for programs."""

import math
from typing import Any

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.coco_metric import CocoReport

__all__ = ["coco_content", "coco_table"]


def coco_content(report: CocoReport, labels: LabelSet, images: int) -> dict[str, Any]:
    """The content of metrics.json; what is not defined is None (null), where the reference says -1."""
    return {
        "rule": "coco",
        "images": images,
        "map": _value(report.figures["AP"]),
        "ap": {name: _value(ap) for name, ap in zip(labels.names, report.ap, strict=True)},
        "coco": {name: _value(figure) for name, figure in report.figures.items()},
    }


def coco_table(report: CocoReport, labels: LabelSet) -> str:
    """One line a class and the twelve figures below; what is not defined is n/a."""
    width = max(map(len, ("class", *report.figures, *labels.names)))
    lines = [f"{'class':<{width}}      AP  objects"]
    for name, ap, objects in zip(labels.names, report.ap, report.truths, strict=True):
        lines.append(f"{name:<{width}}  {_shown(ap)}  {objects:7d}")
    lines += ["", *(f"{name:<{width}}  {_shown(figure)}" for name, figure in report.figures.items())]
    return "\n".join(lines)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _shown(number: float) -> str:
    return "   n/a" if math.isnan(number) else f"{number:6.4f}"
