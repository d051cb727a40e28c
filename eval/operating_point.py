"""The score from which on detections are worth showing: where precision and recall together are best."""

import math

import numpy as np

from googlenet_rcnn.eval.matching import Matches

__all__ = ["best_threshold"]


def best_threshold(matches: Matches) -> float:
    """The highest score at which F1, over all classes together, is greatest; infinity where nothing is found.

    F1 is 2 found / (detections + objects) of the detections with that score or a higher one.
    """
    counted = matches.true | matches.false
    score, found = matches.score[counted], np.cumsum(matches.true[counted])
    if not len(found) or not found[-1]:
        return math.inf
    f1 = 2 * found / (np.arange(1, len(found) + 1) + len(matches.truth_label))
    last = np.append(np.diff(score) < 0, True)  # equal scores are taken together
    return float(score[np.argmax(np.where(last, f1, -1.0))])
