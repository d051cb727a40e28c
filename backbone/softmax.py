"""Probabilities of logits, without torch."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["softmax"]

_Float = TypeVar("_Float", np.float32, np.float64)


def softmax(logits: NDArray[_Float]) -> NDArray[_Float]:
    """Rows [N,K] that sum to 1, in the precision of the logits [N,K]; no row overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
