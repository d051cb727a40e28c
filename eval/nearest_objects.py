"""The objects that each detection overlaps most: of its own class, of any other, and of a similar one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches
from googlenet_rcnn.eval.overlap_pairs import overlap_pairs

__all__ = ["Nearest", "NearestObjects", "nearest_objects"]


@dataclass(frozen=True, eq=False)
class Nearest:
    """For each ranked detection [N] an object (-1 for none), its overlap, and whether that is enough to find it."""

    index: NDArray[np.int64]
    overlap: NDArray[np.float64]
    enough: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NearestObjects:
    """The object nearest to each ranked detection [N] among those of its class, of all others, of similar ones.

    Objects that do not count (difficult, crowd) are among them: whoever sees one does not see background.
    """

    own: Nearest
    other: Nearest
    similar: Nearest


def nearest_objects(
    table: DetectionTable, matches: Matches, rule: MatchRule, similar: NDArray[np.bool_] | None = None
) -> NearestObjects:
    """Sets each ranked detection against all objects of its image; `similar` [C,C] says which classes are alike."""
    if similar is None:
        similar = np.zeros((matches.labels, matches.labels), dtype=np.bool_)
    objects, count = matches.objects, len(matches.row)
    boxes, touching = table.boxes[matches.row], float(np.finfo(np.float64).tiny)
    pairs = overlap_pairs(boxes, matches.image_index, objects.boxes, objects.image, touching)
    enough = pairs.overlap >= rule.thresholds(objects.boxes)[pairs.truth]
    seen, said = objects.label[pairs.truth], matches.label[pairs.detection]
    # By detection, what is enough before what is not, then the largest overlap, of equal ones the first listed.
    order = np.lexsort((-pairs.overlap, ~enough, pairs.detection))
    parts = []
    for wanted in (seen == said, seen != said, similar[said, seen]):
        best = order[wanted[order]]
        best = best[np.diff(pairs.detection[best], prepend=-1) > 0]
        part = Nearest(np.full(count, -1, dtype=np.int64), np.zeros(count), np.zeros(count, dtype=np.bool_))
        at = pairs.detection[best]
        part.index[at], part.overlap[at], part.enough[at] = pairs.truth[best], pairs.overlap[best], enough[best]
        parts.append(part)
    return NearestObjects(*parts)
