"""Why a detector was wrong: every analysis of its false detections and missed objects, on one set of matches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.calibration import Calibration, ScoreHistogram, calibration, score_histogram
from googlenet_rcnn.eval.confusion import confusion_matrix
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.false_positives import (
    TYPES,
    TopDetections,
    false_positive_types,
    similar_classes,
    top_detections,
)
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches
from googlenet_rcnn.eval.misses import Recalled, recall_by_aspect, recall_by_percentile, recall_by_size
from googlenet_rcnn.eval.nearest_objects import NearestObjects, nearest_objects
from googlenet_rcnn.eval.operating_point import best_threshold
from googlenet_rcnn.eval.tide import KINDS, TideErrors, error_costs, tide_errors

__all__ = ["ErrorAnalysis", "analyse_errors", "error_summary"]


@dataclass(frozen=True, eq=False)
class ErrorAnalysis:
    """What the parts of the analysis found; `threshold` is the score from which detections are shown."""

    matches: Matches
    boxes: NDArray[np.float64]
    nearest: NearestObjects
    threshold: float
    similar_known: bool
    types: NDArray[np.int64]
    top: TopDetections
    tide: TideErrors
    costs: dict[str, float]
    confusion: NDArray[np.int64]
    calibration: Calibration | None
    histogram: ScoreHistogram
    sizes: tuple[Recalled, ...]
    percentiles: tuple[Recalled, ...]
    aspects: tuple[Recalled, ...]


def analyse_errors(
    table: DetectionTable,
    matches: Matches,
    labels: LabelSet,
    rule: MatchRule,
    groups: Sequence[Sequence[str]] | None = None,
) -> ErrorAnalysis:
    """Runs every analysis on the matches of a table; `groups` name the classes that are alike."""
    similar = similar_classes(labels, groups)
    nearest = nearest_objects(table, matches, rule, similar)
    threshold = best_threshold(matches)
    types, tide = false_positive_types(matches, nearest), tide_errors(matches, nearest)
    return ErrorAnalysis(
        matches,
        table.boxes[matches.row],
        nearest,
        threshold,
        similar is not None,
        types,
        top_detections(matches, types),
        tide,
        error_costs(matches, tide, rule),
        confusion_matrix(matches, nearest, threshold),
        calibration(matches),
        score_histogram(matches),
        recall_by_size(matches, threshold),
        recall_by_percentile(matches, threshold),
        recall_by_aspect(matches, threshold),
    )


def error_summary(analysis: ErrorAnalysis) -> dict[str, Any]:
    """The figures of an analysis for metrics.json, under `errors`; what is not defined is None (null)."""
    counts = [int((analysis.tide.kind == kind).sum()) for kind in range(len(KINDS) - 1)]
    groups = {"size": analysis.sizes, "size_in_class": analysis.percentiles, "aspect_in_class": analysis.aspects}
    known = analysis.calibration
    return {
        "threshold": _value(analysis.threshold),
        "calibration_error": None if known is None else _value(known.error),
        "top_false_positives": dict(zip(TYPES, analysis.top.false.sum(axis=0).tolist(), strict=True)),
        "kinds": dict(zip(KINDS, [*counts, int(analysis.tide.missed.sum())], strict=True)),
        "map_cost": {name: _value(cost) for name, cost in analysis.costs.items()},
        "recall": {
            name: {one.name: {"objects": one.objects, "found": one.found, "shown": one.shown} for one in group}
            for name, group in groups.items()
        },
    }


def _value(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
