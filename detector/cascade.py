"""Which proposals earn a pass through the network: a few scattered ones first, then those near what they found.

Selective Search proposes every object many times over. A few of its boxes represent the others; a box is
scored only if a representative near it looks like an object. The survivors are scored exactly as in
exhaustive mode. Distances were chosen on VOC 2007 val images, where two boxes in five remain.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.types import Boxes

__all__ = ["Cascade"]


@dataclass(frozen=True)
class Cascade:
    """Overlaps at which a box is represented by an earlier one (`spacing`) and lies near one (`reach`).

    `doubt` is the probability of any object from which a representative makes its neighbours worth a look.
    """

    spacing: float = 0.3
    reach: float = 0.2
    doubt: float = 0.2

    def representatives(self, boxes: Boxes) -> NDArray[np.int64]:
        """Rows of boxes, in order, none of which overlaps an earlier one of them by `spacing` or more."""
        coordinates = boxes.coordinates
        uncovered = np.arange(len(boxes))
        chosen = []
        while len(uncovered):
            first, uncovered = uncovered[0], uncovered[1:]
            chosen.append(first)
            overlaps = intersection_over_union(coordinates[first][None], coordinates[uncovered])[0]
            uncovered = uncovered[overlaps < self.spacing]
        return np.array(chosen, dtype=np.int64)

    def score(
        self, boxes: Boxes, score_rows: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Probabilities [N,1+C]; a box that was not scored is background for certain.

        `score_rows` gives the probabilities [n,1+C] of the boxes in the given rows.
        """
        first = self.representatives(boxes)
        seen = score_rows(first)
        probabilities = np.zeros((len(boxes), seen.shape[1]), dtype=np.float32)
        probabilities[:, 0] = 1.0
        probabilities[first] = seen
        objects = first[1.0 - seen[:, 0] >= self.doubt]
        overlaps = intersection_over_union(boxes.coordinates, boxes.coordinates[objects])
        promising = np.flatnonzero((overlaps >= self.reach).any(axis=1))
        rest = np.setdiff1d(promising, first)
        probabilities[rest] = score_rows(rest)
        return probabilities
