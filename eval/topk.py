"""Classification scores: is the true class among the k most probable ones, and what is taken for what."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Confusion", "class_accuracy", "confusions", "rank_classes", "top_k_accuracy"]

Labels = NDArray[np.int64]


class Confusion(NamedTuple):
    """How many images of class `label` were taken for class `taken_for`."""

    label: int
    taken_for: int
    images: int


def rank_classes(probabilities: NDArray[np.floating], k: int) -> Labels:
    """The k most probable classes [N,min(k,K)] of probabilities [N,K], best first; ties by lower index.

    Raises ValueError for a probability that is not finite: a broken network must not pass for a bad one.
    """
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        raise ValueError(f"probabilities must be finite, row {int(np.flatnonzero(~finite)[0])} is not")
    return np.argsort(-probabilities, axis=1, kind="stable")[:, :k].astype(np.int64)


def top_k_accuracy(ranked: Labels, labels: Labels, k: int) -> float:
    """Share 0..1 of images whose label [N] is among the first k of their ranked classes [N,>=k]; NaN for none.

    Fewer than k ranked classes are all there are, so that each label is among them.
    """
    return float(_hits(ranked, labels, k).mean()) if len(labels) else float("nan")


def class_accuracy(ranked: Labels, labels: Labels, classes: int, k: int) -> NDArray[np.float64]:
    """`top_k_accuracy` [K] of the images of each class; NaN where there are none."""
    images = np.bincount(labels, minlength=classes)
    found = np.bincount(labels[_hits(ranked, labels, k)], minlength=classes)
    return np.asarray(np.divide(found, images, out=np.full(classes, np.nan), where=images > 0))


def confusions(ranked: Labels, labels: Labels, most: int) -> list[Confusion]:
    """The `most` frequent pairs of a class and another one ranked before all, worst first; ties by lower index."""
    wrong = ranked[:, 0] != labels
    pairs, images = np.unique(np.column_stack([labels[wrong], ranked[wrong, 0]]), axis=0, return_counts=True)
    order = np.argsort(-images, kind="stable")[:most]
    return [Confusion(int(pairs[row, 0]), int(pairs[row, 1]), int(images[row])) for row in order]


def _hits(ranked: Labels, labels: Labels, k: int) -> NDArray[np.bool_]:
    return np.asarray((ranked[:, :k] == labels[:, None]).any(axis=1))
