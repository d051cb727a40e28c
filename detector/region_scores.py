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

    def spread(self, rows: NDArray[np.int64], count: int) -> "RegionScores":
        """The scores of `count` boxes of which those in `rows` were scored; the others are background for certain."""
        probabilities = np.zeros((count, self.probabilities.shape[1]), dtype=np.float32)
        probabilities[:, 0] = 1.0
        probabilities[rows] = self.probabilities
        if self.offsets is None:
            return RegionScores(probabilities)
        offsets = np.zeros((count, *self.offsets.shape[1:]), dtype=np.float32)
        offsets[rows] = self.offsets
        return RegionScores(probabilities, offsets)
