"""The law by which a time grows, named from points: the slope of a straight line on logarithmic scales."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Law", "fit_law"]

_KINDS = ((-1.0, "inversely"), (0.0, "constant"), (0.5, "as the square root"), (1.0, "linear"), (2.0, "quadratic"))


@dataclass(frozen=True)
class Law:
    """time = factor * x ** exponent, and by what share of it the points lie beside it at most."""

    exponent: float
    factor: float
    deviation: float

    @property
    def name(self) -> str:
        """The nearest law that has a name, where it is near."""
        exponent, name = min(_KINDS, key=lambda kind: abs(kind[0] - self.exponent))
        return name if abs(exponent - self.exponent) <= 0.15 else "between laws"

    def at(self, x: float) -> float:
        """The time that the law gives."""
        return float(self.factor * x**self.exponent)


def fit_law(x: Sequence[float], seconds: Sequence[float]) -> Law | None:
    """The law of least squares through the logarithms; None for fewer than two different sizes."""
    if len(set(x)) < 2:
        return None
    sizes, times = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(seconds, dtype=float))
    exponent, intercept = np.polyfit(sizes, times, 1)
    beside = np.abs(np.expm1(times - (exponent * sizes + intercept)))
    return Law(float(exponent), float(np.exp(intercept)), float(beside.max()))
