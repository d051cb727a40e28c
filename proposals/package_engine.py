"""The `selectivesearch` package as a proposer: a peer to compare with; it has no ranking."""

import importlib
from dataclasses import dataclass

import numpy as np

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image, Proposals, Size, as_image
from googlenet_rcnn.proposals.working import proposals_from_working, working_image

__all__ = ["PackageSelectiveSearch"]


@dataclass(frozen=True)
class PackageSelectiveSearch:
    """Proposes the regions of `selectivesearch.selective_search`, larger boxes first.

    `scale`, `sigma` and `min_size` are the package's own; `width` and `min_side` are as in SelectiveSearch.
    """

    scale: float = 500.0
    sigma: float = 0.9
    min_size: int = 10
    width: int = 500
    min_side: int = 20

    def __post_init__(self) -> None:
        try:
            importlib.import_module("selectivesearch")
        except ImportError:
            raise UsageError(
                "ENGINE_MISSING", "the engine 'package' needs selectivesearch: pip install selectivesearch"
            ) from None

    def propose(self, image: Image) -> Proposals:
        """Boxes of an image [H,W,3]; equal input gives equal output."""
        working = working_image(as_image(image), self.width)
        size = Size(*working.shape[:2])
        engine = importlib.import_module("selectivesearch")
        _, regions = engine.selective_search(working.copy(), scale=self.scale, sigma=self.sigma, min_size=self.min_size)
        # The package takes the last pixel's coordinate for the end, so its rectangles are one pixel short.
        boxes = np.array(
            [(x, y, x + width + 1, y + height + 1) for x, y, width, height in (r["rect"] for r in regions)],
            dtype=np.int32,
        ).reshape(-1, 4)
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        order = np.lexsort((*boxes.T[::-1], -area))
        return proposals_from_working(boxes[order], size, Size(*image.shape[:2]), self.min_side, "selectivesearch")
