"""The engine on the `selectivesearch` package, present or not."""

import sys

import numpy as np
import pytest

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.proposals.package_engine import PackageSelectiveSearch

IMAGE = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_small_picture_gives_half_open_boxes() -> None:
    pytest.importorskip("selectivesearch")
    engine = PackageSelectiveSearch(scale=50, width=40, min_size=20, min_side=8)
    first, second = engine.propose(IMAGE), engine.propose(IMAGE)
    assert np.array_equal(first.boxes.coordinates, second.boxes.coordinates)
    boxes = first.boxes.coordinates
    # The far corner is reached: a rectangle one pixel short would end at 39 and 31.
    assert boxes[:, 2].max() == 40
    assert boxes[:, 3].max() == 32
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= engine.min_side
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert (np.diff(areas) <= 0).all()


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "selectivesearch", None)
    with pytest.raises(UsageError, match="pip install selectivesearch") as caught:
        PackageSelectiveSearch()
    assert caught.value.code == "ENGINE_MISSING"
