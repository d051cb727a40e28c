"""What screening says of recorded proposals, and its vote in their scores."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scored_images import ScoredImages

from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.detector.opinions import pool_opinions
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.screening import Screen

__all__ = ["load_screen", "pool", "screen_images"]


def load_screen(weights: Path, runtime: str, say: Callable[[str], None]) -> Screen:
    """The screen of a detector, its trunk run by `runtime`."""
    return Screen.load(weights, lambda side: load_engine(weights, "trunk", runtime, side=side, say=say))


def screen_images(images: ScoredImages, screen: Screen, say: Callable[[str], None]) -> list[NDArray[np.float32]]:
    """Screening probabilities [N,1+C] of the proposals of each image."""
    found = []
    for sample, proposals in zip(images.dataset.samples, images.proposals, strict=True):
        found.append(screen.probabilities(read_image(sample.path).pixels, proposals.boxes))
        if len(found) % 100 == 0:
            say(f"screened {len(found)} of {len(images.proposals)} images")
    return found


def pool(scores: Sequence[RegionScores], screened: Sequence[NDArray[np.float32]], vote: float) -> list[RegionScores]:
    """The scores with the vote of screening in them."""
    return [
        RegionScores(pool_opinions(one.probabilities, seen, vote), one.offsets)
        for one, seen in zip(scores, screened, strict=True)
    ]
