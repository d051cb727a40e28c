"""Average precision for people and for programs."""

import math
from typing import Any

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.average_precision import ApReport
from googlenet_rcnn.eval.bootstrap import MapInterval
from googlenet_rcnn.eval.match_rule import MatchRule

__all__ = ["metrics", "text_table"]


def metrics(
    report: ApReport, labels: LabelSet, rule: MatchRule, images: int, interval: MapInterval | None = None
) -> dict[str, Any]:
    """The content of metrics.json; an AP that is not defined is None (null)."""
    content: dict[str, Any] = {
        "rule": rule.name,
        "images": images,
        "map": _value(report.mean),
        "ap": {name: _value(ap) for name, ap in zip(labels.names, report.ap, strict=True)},
    }
    if interval is not None:
        content["map_interval"] = {
            "low": _value(interval.low),
            "high": _value(interval.high),
            "confidence": interval.confidence,
        }
    return content


def text_table(report: ApReport, labels: LabelSet, interval: MapInterval | None = None) -> str:
    """One line a class and the mean below; a class without objects shows a dash."""
    width = max(len("class"), *map(len, labels.names))
    lines = [f"{'class':<{width}}      AP  objects   found    false"]
    counts = (report.truths, report.true_positives, report.false_positives)
    for name, ap, objects, found, false in zip(labels.names, report.ap, *counts, strict=True):
        lines.append(f"{name:<{width}}  {_shown(ap)}  {objects:7d}  {found:6d}  {false:7d}")
    totals = [int(count.sum()) for count in counts]
    lines.append(f"{'mean':<{width}}  {_shown(report.mean)}  {totals[0]:7d}  {totals[1]:6d}  {totals[2]:7d}")
    if interval is not None:
        bounds = f"{_shown(interval.low).strip()} to {_shown(interval.high).strip()}"
        lines.append(f"mean lies in {bounds} ({interval.confidence:.0%} of resampled images)")
    return "\n".join(lines)


def _value(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _shown(number: float) -> str:
    return "     -" if math.isnan(number) else f"{number:6.4f}"
