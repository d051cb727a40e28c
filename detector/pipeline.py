"""R-CNN in one place: propose, warp, score, select."""

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from googlenet_rcnn.core.types import Detections, Image, LabelSet, Proposals, Proposer, as_image

from .region_scores import RegionScores
from .selection import Selection
from .warp import Warp

if TYPE_CHECKING:
    from .cascade import Cascade
    from .regions import RegionClassifier

__all__ = ["Detector", "Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Detections of one image, how many boxes were proposed and scored, milliseconds by stage, the boxes' scores."""

    detections: Detections
    proposals: int
    scored: int
    milliseconds: dict[str, float]
    scores: RegionScores


@dataclass(frozen=True, eq=False)
class Detector:
    """Finds objects: proposals are warped, scored, and kept where they are the best of their class.

    Without a cascade every proposal is scored (exhaustive mode, the reference).
    """

    proposer: Proposer
    classifier: "RegionClassifier"
    warp: Warp = field(default_factory=Warp)
    selection: Selection = field(default_factory=Selection)
    cascade: "Cascade | None" = None
    chunk: int = 256
    """Crops warped and scored at a time, so that memory does not grow with the number of proposals."""
    threads: int = 1
    """Threads that cut crops; those of the networks are the classifier's own."""

    @property
    def labels(self) -> LabelSet:
        """Names of the classes it finds."""
        return self.classifier.labels

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
        rows = np.arange(len(boxes)) if self.cascade is None else self.cascade.survivors(image, boxes)
        warping = 0.0
        parts = []
        for first in range(0, max(1, len(rows)), self.chunk):
            before = time.perf_counter()
            crops = self.warp.crops(image, boxes[rows[first : first + self.chunk]], self.threads)
            warping += time.perf_counter() - before
            parts.append(self.classifier.score(crops))
        scores = RegionScores.concatenate(parts).spread(rows, len(boxes))
        detections = self.selection.select(boxes, scores)
        classify = time.perf_counter() - started - warping
        times = {"warp": warping * 1000, "classify": classify * 1000}
        return Result(detections, len(boxes), len(rows), times, scores)
