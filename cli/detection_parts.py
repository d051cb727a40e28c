"""From the flags of `detect` and `explain` to the parts they mean."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from googlenet_rcnn.api import build
from googlenet_rcnn.api.runtime import Runtime

from .proposal_source import ProposalSource, proposal_file

if TYPE_CHECKING:
    from googlenet_rcnn.detector.pipeline import Detector

    from .detect import DetectOptions
    from .explain import ExplainOptions

__all__ = ["build_detection", "detection_runtimes"]


def build_detection(
    options: "DetectOptions | ExplainOptions", say: Callable[[str], None]
) -> tuple["Detector", ProposalSource]:
    """The detector that the flags describe, and where its boxes come from; `say` is told why a first use takes long."""
    recorded = proposal_file(options.method)
    detector = build.assemble_detector(
        options.weights,
        # Where a file has the boxes, the proposer is never asked.
        method=options.method if recorded is None else "ss",
        engine=options.engine,
        preset=options.preset,
        superpixel_scale=options.superpixel_scale,
        seed=options.seed,
        multibox_weights=options.multibox_weights,
        multibox_k=options.multibox_k,
        multibox_nms=options.multibox_nms,
        score_threshold=options.score_threshold,
        nms_iou=options.nms_iou,
        max_detections=options.max_detections,
        box_regression=options.box_regression,
        box_voting=options.box_voting,
        mode=options.mode,
        screen_vote=options.screen_vote,
        flip=options.flip,
        runtime=Runtime(options.runtime, options.threads, say),
        say=None if recorded else say,
    )
    return detector, ProposalSource(detector.proposer, recorded)


def detection_runtimes(options: "DetectOptions | ExplainOptions") -> list[str]:
    """The runtime of each network that takes part in a detection."""
    runtime = Runtime(options.runtime, options.threads)
    names = build.detector_runtimes(options.weights, options.mode, options.screen_vote, runtime)
    if proposal_file(options.method) is None:
        names += build.proposal_runtimes(options.method, options.multibox_weights, runtime)
    return names
