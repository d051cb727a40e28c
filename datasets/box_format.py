"""Whether boxes were written in another form than their file format says: seen only over many of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["suspect_format"]

Array = NDArray[np.float64]
_FEWEST = 8
_SLACK = 1.5  # pixels by which honest boxes leave their image


def _corners(rows: Array) -> Array:
    return rows


def _corner_and_sides(rows: Array) -> Array:
    return np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:]])


def _centre_and_sides(rows: Array) -> Array:
    return np.hstack([rows[:, :2] - rows[:, 2:] / 2, rows[:, :2] + rows[:, 2:] / 2])


_FORMS: dict[str, Callable[[Array], Array]] = {
    "x1 y1 x2 y2": _corners,
    "x y width height": _corner_and_sides,
    "centre width height": _centre_and_sides,
}


def suspect_format(rows: Array, sizes: NDArray[np.int64], form: str, normalised: bool = False) -> str:
    """The form that fits rows [N,4] far better than the one expected, or an empty string.

    `sizes` [N,2] are width and height of each row's image. Fewer than eight boxes say nothing.
    """
    if len(rows) < _FEWEST:
        return ""
    # Boxes of single pixels fit nearly any image, so numbers that hardly ever exceed 1 are taken for shares of it.
    shares = bool((np.abs(rows) <= 1).all(axis=1).mean() > 0.5)
    unit = "normalised" if shares else "in pixels"
    fits = {name: _fit(corners(rows), sizes, shares) for name, corners in _FORMS.items()}
    best = max(fits, key=lambda name: (fits[name], name == form))
    if shares != normalised:
        return f"{best} {unit}"
    return f"{best} {unit}" if fits[best] >= 0.99 and fits[form] < 0.9 else ""


def _fit(corners: Array, sizes: NDArray[np.int64], shares: bool) -> float:
    """Share of boxes that are not inside out and lie inside their image; an inclusive one may begin where it ends."""
    limits = np.ones_like(sizes, dtype=np.float64) if shares else sizes.astype(np.float64)
    slack = _SLACK / sizes if shares else np.full(sizes.shape, _SLACK)
    low, high = corners[:, :2], corners[:, 2:]
    return float(((low <= high) & (low >= -slack) & (high <= limits + slack)).all(axis=1).mean())
