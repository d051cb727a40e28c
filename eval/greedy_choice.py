"""Each detection, best first, takes the object it likes best among those still free."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["greedy_choice"]


def greedy_choice(
    detection: NDArray[np.int64],
    truth: NDArray[np.int64],
    detections: int,
    truths: int,
    shared: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """The object [detections] that each detection takes, -1 for none, from pairs [P] it would accept.

    Pairs go by detection, best-scored first, and within it by liking. A `shared` [truths] object is never
    used up.
    """
    # All detections ask at once, an object keeps the best that asked and the others ask the next on their
    # list: what comes out is what one detection after another would take, in a few rounds over arrays.
    chosen = np.full(detections, -1, dtype=np.int64)
    while True:
        asks = np.diff(detection, prepend=-1) > 0
        wanted, asking = truth[asks], detection[asks]
        keeper = np.full(truths, detections, dtype=np.int64)
        keeper[wanted[::-1]] = asking[::-1]  # of several the last assignment stays, here the best-scored
        open_still = detection <= keeper[truth]
        if shared is not None:
            open_still |= shared[truth]
        if open_still.all():
            chosen[asking] = wanted
            return chosen
        detection, truth = detection[open_still], truth[open_still]
