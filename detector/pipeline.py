"""R-CNN in one place: propose, warp, score, select."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Detections, Image, LabelSet, Proposals, Proposer, as_image

from .opinions import pool_opinions
from .region_scores import RegionScores
from .selection import Selection
from .view import View

if TYPE_CHECKING:
    from .cascade import CascadeSettings
    from .screening import Screen

__all__ = ["Detector", "Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Detections of one image, how many boxes were proposed, which rows were scored, milliseconds by stage, scores."""

    detections: Detections
    proposals: int
    scored: NDArray[np.int64]
    milliseconds: dict[str, float]
    scores: RegionScores


@dataclass(frozen=True, eq=False)
class Detector:
    """Finds objects: proposals are warped, scored, and kept where they are the best of their class.

    A screen, if there is one, looks at the whole image and has its vote on every score. Where a cascade says so, it
    also decides what is scored at all; without one every proposal is (exhaustive mode, the reference).
    """

    proposer: Proposer
    views: Sequence[View]
    """Of a box; what is said in all of them is averaged."""
    selection: Selection = field(default_factory=Selection)
    screen: "Screen | None" = None
    cascade: "CascadeSettings | None" = None
    chunk: int = 256
    """Crops warped and scored at a time, so that memory does not grow with the number of proposals."""
    threads: int = 1
    """Threads that cut crops; those of the networks are the classifiers' own."""

    def __post_init__(self) -> None:
        if not any(view.classifiers for view in self.views):
            raise ValueError("a detector needs at least one network")
        if self.cascade is not None and self.screen is None:
            raise ValueError("a cascade needs a screen")

    @property
    def labels(self) -> LabelSet:
        """Names of the classes it finds."""
        return self.views[0].classifiers[0].labels

    def detect(self, image: Image) -> Result:
        """Detections in an image uint8 [H,W,3]."""
        image = as_image(image)
        started = time.perf_counter()
        proposals = self.proposer.propose(image)
        propose = (time.perf_counter() - started) * 1000
        result = self.classify(image, proposals)
        return replace(result, milliseconds={"propose": propose, **result.milliseconds})

    def classify(self, image: Image, proposals: Proposals) -> Result:
        """Detections among given proposals of an image uint8 [H,W,3]; nothing proposed, nothing found."""
        boxes = proposals.boxes
        started = time.perf_counter()
        screened = None if self.screen is None else self.screen.probabilities(image, boxes)
        rows = np.arange(len(boxes))
        unscored: NDArray[np.float32] | None = None
        if self.cascade is not None and screened is not None:
            rows, unscored = self.cascade.choose(boxes, screened), self.cascade.unscored(screened)
        warping = 0.0
        parts = []
        for first in range(0, max(1, len(rows)), self.chunk):
            said: list[RegionScores] = []
            for view in self.views:
                before = time.perf_counter()
                crops = view.crops(image, boxes[rows[first : first + self.chunk]], self.threads)
                warping += time.perf_counter() - before
                said += view.scores(crops)
            parts.append(RegionScores.mean(said))
        probabilities, offsets = RegionScores.concatenate(parts)
        if self.screen is not None and screened is not None:
            probabilities = pool_opinions(probabilities, screened[rows], self.screen.vote)
        scores = RegionScores(probabilities, offsets)
        if unscored is not None:
            scores = scores.spread(rows, unscored)
        detections = replace(self.selection.select(boxes, scores), label_set=self.labels)
        classify = time.perf_counter() - started - warping
        times = {"warp": warping * 1000, "classify": classify * 1000}
        return Result(detections, len(boxes), rows, times, scores)
