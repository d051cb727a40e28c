"""How networks are shown the boxes of an image: one warp each, and perhaps a mirror beside it.

The models of the paper's ensembles differ in what they are shown (Szegedy 2014, section 7); those that share a warp
share its crops.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Boxes, Image

from .region_scores import RegionScores
from .warp import Warp

if TYPE_CHECKING:
    from .regions import GoogLeNetRegions, RegionClassifier

__all__ = ["View", "views_of"]


@dataclass(frozen=True, eq=False)
class View:
    """One way to look at a box, and the networks that look so."""

    warp: Warp
    classifiers: "Sequence[RegionClassifier]"
    mirrored: bool = False

    def crops(self, image: Image, boxes: Boxes, threads: int = 1) -> NDArray[np.uint8]:
        """What is seen [n,S,S,3] of the boxes of an image uint8 [H,W,3]."""
        crops = self.warp.crops(image, boxes, threads)
        return np.ascontiguousarray(crops[:, :, ::-1]) if self.mirrored else crops

    def scores(self, crops: NDArray[np.uint8]) -> list[RegionScores]:
        """What each network says of these crops, as of crops that are not mirrored."""
        said = [classifier.score(crops) for classifier in self.classifiers]
        return [one.mirrored() for one in said] if self.mirrored else said


def views_of(members: "Sequence[GoogLeNetRegions]", flip: bool = False) -> tuple[View, ...]:
    """A view for each warp among the members of an ensemble, and with `flip` the same again in a mirror.

    UsageError (ENSEMBLE_LABELS) if they are not of the same classes in the same order.
    """
    by_warp: dict[Warp, list[RegionClassifier]] = {}
    for member in members:
        if member.labels != members[0].labels:
            raise UsageError("ENSEMBLE_LABELS", "the models of an ensemble must have the same labels in the same order")
        by_warp.setdefault(member.warp, []).append(member)
    mirrors = (False, True) if flip else (False,)
    return tuple(View(warp, tuple(alike), mirrored) for mirrored in mirrors for warp, alike in by_warp.items())
