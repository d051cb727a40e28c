"""What two looks say together: the crop of a box, and the whole image around it.

A crop shows an object large and without its surroundings; the look at the whole image shows the surroundings and
hardly the object. They err in different ways, so that both together are right more often than either. The paper's
entry had no contextual model (Szegedy 2014, section 8, table 4): a vote of 0 is the paper's detector.
"""

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.backbone.softmax import softmax

__all__ = ["pool_opinions"]

_LEAST = 1e-6  # below this a probability is no more than rounding, and would be a veto


def pool_opinions(first: NDArray[np.float32], second: NDArray[np.float32], vote: float) -> NDArray[np.float32]:
    """Probabilities [n,1+C] proportional to first ** (1 - vote) * second ** vote: a logarithmic opinion pool.

    The product is high only where both are; the mean, which the paper takes of equal models, where either is.
    """
    if not vote:
        return first
    logs = [np.log(np.maximum(one, _LEAST)) for one in (first, second)]
    return softmax(np.asarray((1 - vote) * logs[0] + vote * logs[1], dtype=np.float32))
