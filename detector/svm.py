"""R-CNN's scorers: a linear SVM for each class on the features of a finished network (arXiv:1311.2524, section 2.3).

Training on hard negatives alone is what makes it possible: a class has thousands of objects at most and hundreds of
thousands of windows that are none, nearly all of them far on the right side of the margin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from googlenet_rcnn.core.recipe import Settings

__all__ = ["LinearScore", "SvmSettings", "calibrated", "fit_svm"]

_FLAT = 1e-3  # least slope: a class whose scores say nothing keeps their order


class SvmSettings(Settings):
    """R-CNN's numbers (rcnn_train.m), for features scaled to `norm` in the mean."""

    norm: float = Field(default=20.0, gt=0)
    cost: float = Field(default=0.001, gt=0)
    positive_weight: float = Field(default=2.0, gt=0)
    bias: float = Field(default=10.0, gt=0)  # a feature of this value, so that the bias is hardly held down
    hard: float = -1.0001  # negatives that score above this join,
    easy: float = -1.2  # those below this go
    first: int = Field(default=5000, gt=0)  # negatives to begin with
    rounds: int = Field(default=8, gt=0)


class LinearScore(NamedTuple):
    """What is added up to a score: a weight for each feature [D], and a bias."""

    weights: NDArray[np.float64]
    bias: float

    def of(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores [N] of features [N,D]."""
        return np.asarray(features @ self.weights.astype(np.float32) + self.bias, dtype=np.float64)


def fit_svm(
    positives: NDArray[np.float32], negatives: NDArray[np.float32], settings: SvmSettings, seed: int
) -> LinearScore:
    """The SVM of positives [P,D] against all negatives [N,D], found by working on the hard ones; P and N above 0."""
    random = np.random.default_rng(seed)
    active = np.zeros(len(negatives), dtype=np.bool_)
    active[random.permutation(len(negatives))[: settings.first]] = True
    score = _fit(positives, negatives[active], settings, seed)
    for _ in range(settings.rounds):
        scores = score.of(negatives)
        missed = ~active & (scores > settings.hard)
        if not missed.any():
            break
        active = (active & (scores >= settings.easy)) | missed
        score = _fit(positives, negatives[active], settings, seed)
    return score


def _fit(
    positives: NDArray[np.float32], negatives: NDArray[np.float32], settings: SvmSettings, seed: int
) -> LinearScore:
    machine = LinearSVC(
        loss="hinge",
        C=settings.cost,
        class_weight={1: settings.positive_weight},
        intercept_scaling=settings.bias,
        random_state=seed,
        max_iter=10_000,
    )
    labels = np.arange(len(positives) + len(negatives)) < len(positives)
    machine.fit(np.concatenate([positives, negatives]), labels.astype(np.int64))
    return LinearScore(machine.coef_[0], float(machine.intercept_[0]))


def calibrated(score: LinearScore, features: NDArray[np.float32], shares: NDArray[np.float32]) -> LinearScore:
    """The score stretched and shifted to log-odds, so that it tells in how far windows [N,D] show an object.

    `shares` [N], 0 to 1, say how much of an object each counts for (Platt 1999, with targets between 0 and 1).
    """
    margins = score.of(features)[:, None]
    weights = np.concatenate([shares, 1 - shares]).astype(np.float64)
    labels = np.repeat([1, 0], len(margins))
    line = LogisticRegression(C=1e6).fit(np.concatenate([margins, margins]), labels, sample_weight=weights)
    slope, shift = max(float(line.coef_[0, 0]), _FLAT), float(line.intercept_[0])
    return LinearScore(score.weights * slope, score.bias * slope + shift)
