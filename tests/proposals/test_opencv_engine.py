"""The engine on OpenCV's contrib modules: it runs where they are, and says so where they are not."""

import cv2
import numpy as np
import pytest

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.proposals.opencv_engine import OpenCVSelectiveSearch

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(20, axis=0).repeat(20, axis=1)


def test_unknown_mode_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="slow"):
        OpenCVSelectiveSearch("slow")


@pytest.mark.skipif(hasattr(cv2, "ximgproc"), reason="OpenCV has its contrib modules")
def test_missing_module_says_what_to_install() -> None:
    with pytest.raises(UsageError, match="opencv-contrib-python-headless") as caught:
        OpenCVSelectiveSearch()
    assert caught.value.code == "ENGINE_MISSING"
    assert "\n" not in caught.value.message


@pytest.mark.skipif(not hasattr(cv2, "ximgproc"), reason="OpenCV lacks its contrib modules")
@pytest.mark.parametrize("mode", ["single", "fast"])
def test_seeded_search_repeats(mode: str) -> None:
    engine = OpenCVSelectiveSearch(mode, seed=3)
    first, second = engine.propose(IMAGE), engine.propose(IMAGE)
    assert len(first) > 1
    assert np.array_equal(first.boxes.coordinates, second.boxes.coordinates)


class FakeSearch:
    """Stands in for the engine: returns rectangles (x, y, width, height), some useless."""

    def setBaseImage(self, image: object) -> None:  # noqa: N802
        self.image = image

    def switchToSelectiveSearchFast(self) -> None:  # noqa: N802
        pass

    def process(self) -> object:
        return np.array([(0, 0, 30, 40), (460, 300, 40, 75), (1, 1, 3, 90), (0, 0, 30, 40)], np.int32)


def test_rectangles_become_half_open_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Segmentation:
        createSelectiveSearchSegmentation = FakeSearch  # noqa: N815

    class Module:
        segmentation = Segmentation

    monkeypatch.setattr(cv2, "ximgproc", Module, raising=False)
    proposals = OpenCVSelectiveSearch().propose(np.zeros((375, 500, 3), np.uint8))
    assert proposals.boxes.coordinates.tolist() == [[0, 0, 30, 40], [460, 300, 500, 375]]
    assert proposals.source_names == ("opencv",)
