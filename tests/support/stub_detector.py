"""The `detect` command with parts that need no weights, for this process or, by `python -c`, for another."""

import os
import signal

import numpy as np
from numpy.typing import NDArray
from stub_parts import ColourClassifier, FixedProposer

from googlenet_rcnn.api import build, weights_files
from googlenet_rcnn.cli import detection_parts
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.view import View
from googlenet_rcnn.detector.warp import Warp

WHOLE = ((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 20.0, 10.0), (2.0, 2.0, 12.0, 9.0))


class StoppingClassifier(ColourClassifier):
    """Does `stop` in place of the classification number `after` + 1."""

    after = 10**9

    @staticmethod
    def stop() -> None:
        raise KeyboardInterrupt

    def score(self, crops: NDArray[np.uint8]) -> RegionScores:
        if len(self.calls) >= self.after:
            self.stop()
        return super().score(crops)


def install(replace=setattr, classifier: ColourClassifier | None = None, rows=WHOLE) -> ColourClassifier:
    """Puts the stub where `detect` looks for its detector and returns the classifier."""
    classifier = classifier or StoppingClassifier()

    def build_detector(weights, proposer, selection, runtime, **flags):
        return Detector(FixedProposer(rows), [View(Warp(side=32, context=0), [classifier])], selection)

    replace(build, "build_detector", build_detector)
    replace(build, "load_selective_search", lambda say: None)
    replace(weights_files, "weight_digests", lambda weights: ["stub", *weights])
    replace(detection_parts, "detection_runtimes", lambda options: [options.runtime])
    replace(weights_files, "weight_labels", lambda weights: LabelSet(("red", "green", "blue")))
    return classifier


def killed_after(images: int) -> ColourClassifier:
    """A classifier that kills its own process, as no program can notice, after some images."""
    classifier = StoppingClassifier()
    classifier.after = images
    classifier.stop = lambda: os.kill(os.getpid(), signal.SIGKILL)
    return classifier
