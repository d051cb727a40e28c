"""OpenCV's Selective Search as a proposer; its settings and ranking differ from the original's.

It exists only in OpenCV's contrib modules, and ranks by libc's rand(), which is seeded here.
"""

import ctypes
import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image, Proposals, Size, as_image
from googlenet_rcnn.proposals.working import proposals_from_working, working_image

__all__ = ["OpenCVSelectiveSearch"]

_SWITCHES = {
    "fast": "switchToSelectiveSearchFast",
    "quality": "switchToSelectiveSearchQuality",
    "single": "switchToSingleStrategy",
}

# rand() has one state for the process: two searches at once would take numbers from each other.
_RAND = threading.Lock()


@dataclass(frozen=True)
class OpenCVSelectiveSearch:
    """Proposes what `cv2.ximgproc.segmentation` finds in mode "fast", "quality" or "single".

    Its order is the engine's own, which puts small boxes first. `width` and `min_side` are as in
    SelectiveSearch.
    """

    mode: str = "fast"
    seed: int = 0
    width: int = 500
    min_side: int = 20

    def __post_init__(self) -> None:
        if self.mode not in _SWITCHES:
            raise UsageError("PROPOSAL_SETTING", f"unknown mode {self.mode!r}, known: {', '.join(_SWITCHES)}")
        if not hasattr(cv2, "ximgproc"):
            raise UsageError(
                "ENGINE_MISSING",
                "the engine 'opencv' needs OpenCV's contrib modules: pip uninstall opencv-python-headless, "
                "then pip install opencv-contrib-python-headless",
            )

    def propose(self, image: Image) -> Proposals:
        """Boxes of an image [H,W,3]; equal input and seed give equal output."""
        working = working_image(as_image(image), self.width)
        module: Any = cv2  # the type stubs know no contrib modules
        search = module.ximgproc.segmentation.createSelectiveSearchSegmentation()
        search.setBaseImage(cv2.cvtColor(working, cv2.COLOR_RGB2BGR))
        getattr(search, _SWITCHES[self.mode])()
        with _RAND:
            ctypes.CDLL(None).srand(self.seed)
            rectangles = search.process()
        boxes = np.array(rectangles, dtype=np.int32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        size = Size(*working.shape[:2])
        return proposals_from_working(boxes, size, Size(*image.shape[:2]), self.min_side, "opencv")
