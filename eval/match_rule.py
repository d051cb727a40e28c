"""The scoring rules by name: when a detection counts as found, and how precision becomes one number."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["RULES", "MatchRule"]


@dataclass(frozen=True)
class MatchRule:
    """How detections meet truths.

    `choice` "nearest" takes the truth of largest overlap, so a second detection of it is wrong (PASCAL);
    "free" takes the largest overlap among truths not found yet (ILSVRC). `relaxed` lowers the threshold
    for objects of few pixels. `curve` is the 11-point mean of VOC 2007 or the area under the envelope. Of equal
    scores the earlier row goes first (`ties` "row") or that of the lower-numbered image ("image").
    """

    name: str
    choice: Literal["nearest", "free"] = "nearest"
    curve: Literal["11-point", "area"] = "area"
    minimum_overlap: float = 0.5
    relaxed: bool = False
    ties: Literal["row", "image"] = "row"

    def thresholds(self, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Least intersection over union [N], inclusive, that finds each of the truth boxes [N,4]."""
        thresholds = np.full(len(boxes), self.minimum_overlap)
        if self.relaxed:
            # ILSVRC DET: a detection may be off by 5 pixels on each side, whatever the object's size.
            width, height = (boxes[:, 2:].astype(np.float64) - boxes[:, :2]).T
            thresholds = np.minimum(thresholds, width * height / ((width + 10) * (height + 10)))
        return thresholds


RULES = {
    rule.name: rule
    for rule in (
        MatchRule("voc07", curve="11-point"),
        MatchRule("voc10"),
        MatchRule("ilsvrc", choice="free", relaxed=True, ties="image"),
    )
}
"""voc07, voc10 (the rule of VOC 2010 and later) and ilsvrc (the detection task)."""
