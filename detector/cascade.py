"""Which proposals earn a pass through the network: one for each neighbourhood first, the rest where it saw something.

Selective Search proposes every object many times over. A few of its boxes represent all others (each box
overlaps one of them); when the network calls a representative background beyond doubt, those it stands for
are not scored at all. The survivors are scored exactly as in exhaustive mode.
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
    """`overlap` of a box with its representative; `doubt`: probability of any object that makes it worth a look."""

    overlap: float = 0.5
    doubt: float = 0.05

    def representatives(self, boxes: Boxes) -> NDArray[np.int64]:
        """For each box [N] the row of its representative: the first box, in order, that it overlaps enough."""
        coordinates = boxes.coordinates
        stands_for = np.full(len(boxes), -1, dtype=np.int64)
        for row in range(len(boxes)):
            if stands_for[row] < 0:
                open_rows = np.flatnonzero(stands_for < 0)
                overlaps = intersection_over_union(coordinates[row : row + 1], coordinates[open_rows])[0]
                stands_for[open_rows[overlaps >= self.overlap]] = row
                stands_for[row] = row
        return stands_for

    def score(
        self, boxes: Boxes, score_rows: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Probabilities [N,1+C]; a box that was not scored is background for certain.

        `score_rows` gives the probabilities [n,1+C] of the boxes in the given rows.
        """
        stands_for = self.representatives(boxes)
        first = np.unique(stands_for)
        seen = score_rows(first)
        probabilities = np.zeros((len(boxes), seen.shape[1]), dtype=np.float32)
        probabilities[:, 0] = 1.0
        probabilities[first] = seen
        promising = 1.0 - probabilities[stands_for, 0] >= self.doubt
        promising[first] = False
        rest = np.flatnonzero(promising)
        if len(rest):
            probabilities[rest] = score_rows(rest)
        return probabilities
