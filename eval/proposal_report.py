"""Proposal quality for people and for programs."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.proposal_recall import THRESHOLDS, Coverage, ProposalRecall

__all__ = ["FIRST", "SIDES", "proposal_metrics", "proposal_table"]

FIRST: tuple[int | None, ...] = (10, 20, 50, 100, 200, 500, 1000, 1500, 2000, None)
"""Numbers of first boxes that recall is told for; None is all of them."""

_AVERAGED: tuple[int | None, ...] = (10, 100, 200, 1000, None)

SIDES = {"<32": (0.0, 32.0), "32-60": (32.0, 60.0), "60-96": (60.0, 96.0), "96+": (96.0, math.inf)}
"""Object sizes, by the square root of the area in pixels: from the first number, below the second."""


def proposal_metrics(measured: ProposalRecall, labels: LabelSet, failed: int = 0) -> dict[str, Any]:
    """The content of metrics.json; what is not defined is None (null).

    `failed` images are among the missing in `measured`, and told apart here.
    """
    return {
        "images": len(measured.union.counts),
        "objects": len(measured.union),
        **_figures(measured.union, labels),
        "per_source": {name: _figures(part, labels) for name, part in measured.sources.items()},
        "failed": failed,
        "missing": measured.missing - failed,
    }


def _figures(part: Coverage, labels: LabelSet) -> dict[str, Any]:
    overlap = part.average_best_overlap(len(labels))
    return {
        "boxes_per_image": _value(_mean(part.counts)),
        "recall": _by_threshold(part.recall()),
        "recall_at": {_name(first): _by_threshold(part.recall(first), (0.5, 0.7)) for first in FIRST},
        "average_recall": _value(part.average_recall()),
        "average_recall_at": {_name(first): _value(part.average_recall(first)) for first in _AVERAGED},
        "abo": {name: _value(mean) for name, mean in zip(labels.names, overlap, strict=True)},
        "mabo": _value(_mean(overlap[np.isfinite(overlap)])),
        "by_size": {
            name: {
                "objects": len(sized),
                "recall": _by_threshold(sized.recall()),
                "average_recall": _value(sized.average_recall()),
                "best_overlap": _value(_mean(sized.best)),
            }
            for name, sized in ((name, _sized(part, *limits)) for name, limits in SIDES.items())
        },
    }


def _sized(part: Coverage, low: float, high: float) -> Coverage:
    return part[(part.side >= low) & (part.side < high)]


def _by_threshold(recall: NDArray[np.float64], wanted: Sequence[float] = THRESHOLDS) -> dict[str, float | None]:
    return {
        str(threshold): _value(one) for threshold, one in zip(THRESHOLDS, recall, strict=True) if threshold in wanted
    }


def _name(first: int | None) -> str:
    return "all" if first is None else str(first)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _value(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def proposal_table(content: dict[str, Any]) -> str:
    """The figures of `proposal_metrics` in four blocks: sources, first boxes, object sizes, classes."""
    sources = content["per_source"]
    parts = dict(sources) if len(sources) == 1 else {**sources, "all": content}
    width = max(6, *map(len, parts), *map(len, content["abo"]))
    lines = [f"{'source':<{width}}  boxes/image  recall@0.5  recall@0.7  average     MABO"]
    for name, part in parts.items():
        recall = f"{_shown(part['recall']['0.5'], 10)}  {_shown(part['recall']['0.7'], 10)}"
        boxes = "-" if part["boxes_per_image"] is None else f"{part['boxes_per_image']:.1f}"
        means = f"{_shown(part['average_recall'], 7)}  {_shown(part['mabo'], 7)}"
        lines.append(f"{name:<{width}}  {boxes:>11}  {recall}  {means}")
    lines += ["", f"{'first':<{width}}" + "".join(f"{name:>8}" for name in content["recall_at"])]
    for threshold in ("0.5", "0.7"):
        values = "".join(_shown(one[threshold], 8) for one in content["recall_at"].values())
        lines.append(f"{'@' + threshold:<{width}}{values}")
    lines += ["", f"{'side':<{width}}  objects  recall@0.5  recall@0.7  overlap"]
    for name, one in content["by_size"].items():
        recall = f"{_shown(one['recall']['0.5'], 10)}  {_shown(one['recall']['0.7'], 10)}"
        lines.append(f"{name:<{width}}  {one['objects']:7d}  {recall}  {_shown(one['best_overlap'], 7)}")
    lines += ["", f"{'class':<{width}}  overlap"]
    lines += [f"{name:<{width}}  {_shown(overlap, 7)}" for name, overlap in content["abo"].items()]
    lines.append(f"{'mean':<{width}}  {_shown(content['mabo'], 7)}")
    return "\n".join(lines)


def _shown(number: float | None, width: int) -> str:
    return f"{'-' if number is None else f'{number:.4f}':>{width}}"
