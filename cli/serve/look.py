"""What the server makes of an image, stage by stage: proposals, detections, and the likeliest classes."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from googlenet_rcnn.core.images import ImagePolicy

from ..decoding import decode_file
from ..exhibit import detections_shown, proposals_shown, revealing
from ..inputs import ImageFile
from ..rows import found_row

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.classifier import Classifier
    from googlenet_rcnn.core.types import LabelSet
    from googlenet_rcnn.detector.pipeline import Detector, Result

__all__ = ["Asked", "Looks", "upload"]

_TOP = 5
_LONGEST = 200


class Asked(NamedTuple):
    """What a request says beside its image; None: as the model says."""

    model: str
    mode: str
    threshold: float | None
    file: ImageFile


def upload(name: str) -> ImageFile:
    """The image of a request by the name that its client gives it; no folder of the client's is told on."""
    last = PurePosixPath(name.replace("\\", "/")).name[:_LONGEST] or "upload"
    return ImageFile(PurePosixPath(last).stem, last)


@dataclass(frozen=True, eq=False)
class Looks:
    """The detectors that can be asked for, by model and mode, and a classifier of whole images if there is one."""

    detectors: "Mapping[tuple[str, str], Detector]"
    policy: ImagePolicy
    classifier: "Classifier | None" = None

    def stages(self, data: bytes, asked: Asked) -> Generator[dict[str, Any], None, None]:
        """What is known after each stage; ImageError for bytes that are no image.

        The row of `detections` is the one that `detect` writes, with the settings of the server.
        """
        detector = self.detectors[asked.model, asked.mode]
        threshold = detector.selection.score_threshold if asked.threshold is None else asked.threshold
        started = time.perf_counter()
        image = decode_file(asked.file._replace(data=data), self.policy)
        height, width = image.pixels.shape[:2]
        read = time.perf_counter()
        yield {"stage": "image", "width": width, "height": height}
        proposals = detector.proposer.propose(image.pixels)
        times = {"decode": (read - started) * 1000, "propose": (time.perf_counter() - read) * 1000}
        yield {"stage": "proposals", "count": len(proposals), "boxes": proposals_shown(proposals)}
        result = revealing(detector, threshold).classify(image.pixels, proposals)
        times |= result.milliseconds
        found = result.detections[result.detections.scores >= threshold]
        row = found_row(asked.file, found, detector.labels, len(proposals), times, image.warnings)
        yield {
            "stage": "detections",
            "row": row,
            "shown": detections_shown(result.detections),
        }
        if self.classifier is None:
            yield {"stage": "classes", "of": "boxes", "top": _best(_pooled(result), detector.labels)}
        else:
            yield {
                "stage": "classes",
                "of": "image",
                "top": _best(self.classifier.probabilities(image.pixels), self.classifier.labels),
            }


def _pooled(result: "Result") -> Any:
    """The best score of each class in any box of the image."""
    scores = result.scores.probabilities[:, 1:]
    return scores.max(axis=0) if len(scores) else np.zeros(scores.shape[1])


def _best(scores: Any, labels: "LabelSet") -> list[dict[str, Any]]:
    order = np.argsort(-scores, kind="stable")[:_TOP]
    return [{"label": labels.names[label], "score": round(float(scores[label]), 4)} for label in order]
