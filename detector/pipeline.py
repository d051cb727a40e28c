"""R-CNN in one place: propose, warp, score, select."""

import time
from dataclasses import dataclass, field

import numpy as np

from googlenet_rcnn.core.types import Detections, Image, LabelSet, Proposals, Proposer, as_image

from .regions import RegionClassifier
from .selection import Selection
from .warp import Warp

__all__ = ["Detector", "Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """Detections of one image, the number of proposals behind them, and milliseconds by stage."""

    detections: Detections
    proposals: int
    milliseconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class Detector:
    """Finds the objects of an image: every proposal is warped, scored, and kept if it is the best of its kind."""

    proposer: Proposer
    classifier: RegionClassifier
    warp: Warp = field(default_factory=Warp)
    selection: Selection = field(default_factory=Selection)
    chunk: int = 256
    """Crops warped and scored at a time, so that memory does not grow with the number of proposals."""

    @property
    def labels(self) -> LabelSet:
        """Names of the classes it finds."""
        return self.classifier.labels

    def detect(self, image: Image) -> Result:
        """Detections in an image uint8 [H,W,3]."""
        image = as_image(image)
        started = time.perf_counter()
        proposals = self.proposer.propose(image)
        result = self.classify(image, proposals)
        elapsed = (time.perf_counter() - started) * 1000
        propose = elapsed - sum(result.milliseconds.values())
        return Result(result.detections, result.proposals, {"propose": propose, **result.milliseconds})

    def classify(self, image: Image, proposals: Proposals) -> Result:
        """Detections among given proposals of an image uint8 [H,W,3]; nothing proposed, nothing found."""
        boxes = proposals.boxes
        probabilities = np.zeros((len(boxes), 1 + len(self.labels)), dtype=np.float32)
        warping = 0.0
        started = time.perf_counter()
        for first in range(0, len(boxes), self.chunk):
            rows = slice(first, first + self.chunk)
            before = time.perf_counter()
            crops = self.warp.crops(image, boxes[rows])
            warping += time.perf_counter() - before
            probabilities[rows] = self.classifier.probabilities(crops)
        detections = self.selection.select(boxes, probabilities)
        scoring = time.perf_counter() - started - warping
        return Result(detections, len(boxes), {"warp": warping * 1000, "classify": scoring * 1000})
