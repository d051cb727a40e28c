"""The proposer that a recipe's table `proposals` describes."""

import sys
from typing import TYPE_CHECKING

from googlenet_rcnn.api.build import build_proposer
from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.core.types import Proposer

if TYPE_CHECKING:
    from googlenet_rcnn.detector.fine_tuning import ProposalSettings

__all__ = ["build_training_proposer"]


def build_training_proposer(settings: "ProposalSettings", threads: int | None, quiet: bool) -> Proposer:
    """Made ready at once; MultiBox looks through torch, the reference, and not through what is fastest here."""
    return build_proposer(
        settings.method,
        preset=settings.preset,
        superpixel_scale=settings.superpixel_scale,
        multibox=settings.multibox,
        multibox_k=settings.multibox_k,
        runtime=Runtime("torch", threads),
        say=lambda message: None if quiet else print(message, file=sys.stderr),
    )
