"""What a region classifier says about crops."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RegionScores"]


class RegionScores(NamedTuple):
    """Probabilities [n,1+C] that sum to 1 (column 0 is background) and, with box regression, offsets [n,C,4].

    The offsets say for each class how its box should move (`box_regression`).
    """

    probabilities: NDArray[np.float32]
    offsets: NDArray[np.float32] | None = None

    @classmethod
    def concatenate(cls, parts: Sequence["RegionScores"]) -> "RegionScores":
        """The rows of at least one part, in order."""
        offsets = [part.offsets for part in parts if part.offsets is not None]
        return cls(np.concatenate([part.probabilities for part in parts]), np.concatenate(offsets) if offsets else None)

    @classmethod
    def mean(cls, members: Sequence["RegionScores"]) -> "RegionScores":
        """The mean of what several say about the same crops (Szegedy 2014, section 7).

        Members without box regression have no say in where a box moves.
        """
        offsets = [one.offsets for one in members if one.offsets is not None]
        return cls(_mean([one.probabilities for one in members]), _mean(offsets) if offsets else None)

    def mirrored(self) -> "RegionScores":
        """The scores of crops that were shown in a mirror: there an object lies on the other side."""
        if self.offsets is None:
            return self
        return RegionScores(self.probabilities, self.offsets * np.array([-1, 1, 1, 1], dtype=np.float32))

    def spread(self, rows: NDArray[np.int64], others: NDArray[np.float32]) -> "RegionScores":
        """Scores of N boxes: these in `rows`, elsewhere those of `others` [N,1+C], which do not move."""
        probabilities = others.copy()
        probabilities[rows] = self.probabilities
        if self.offsets is None:
            return RegionScores(probabilities)
        offsets = np.zeros((len(others), *self.offsets.shape[1:]), dtype=np.float32)
        offsets[rows] = self.offsets
        return RegionScores(probabilities, offsets)


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(arrays) == 1:
        return arrays[0]
    return np.asarray(np.mean(arrays, axis=0, dtype=np.float64), dtype=np.float32)
