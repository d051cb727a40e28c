"""Selective Search (Uijlings 2013): segment, group by several strategies, rank; equal input, equal bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image, Proposals, Size, as_image
from googlenet_rcnn.proposals.colour import COLOURS, convert
from googlenet_rcnn.proposals.felzenszwalb import Graph
from googlenet_rcnn.proposals.grouping import SIMILARITIES, Merges, group
from googlenet_rcnn.proposals.regions import Regions, colour_bins, describe, texture_codes
from googlenet_rcnn.proposals.working import MAX_WIDTH, proposals_from_working, working_image

__all__ = ["PRESETS", "Grouping", "SelectiveSearch"]

_CTSF, _TSF = ("colour", "texture", "size", "fill"), ("texture", "size", "fill")


class Preset(NamedTuple):
    """Colour spaces x strategies x k: one hierarchy for each combination."""

    colours: tuple[str, ...]
    strategies: tuple[tuple[str, ...], ...]
    ks: tuple[float, ...]


PRESETS = {
    "fast": Preset(("hsv", "lab"), (_CTSF, _TSF), (50, 100)),
    "quality": Preset(COLOURS, (_CTSF, _TSF, ("fill",), ("size",)), (50, 100, 150, 300)),
    "single": Preset(("hsv",), (_CTSF,), (200,)),
}
"""Settings of the original: 8, 80 and 1 hierarchies."""


class Grouping(NamedTuple):
    """One hierarchy on the working image: its initial labels [H,W], their regions and the merges."""

    colour: str
    k: float
    strategy: tuple[str, ...]
    labels: NDArray[np.int32]
    regions: Regions
    merges: Merges


@dataclass(frozen=True)
class SelectiveSearch:
    """Proposes boxes around regions that grow by merging similar neighbours.

    `superpixel_scale` multiplies k and with it the minimum size, which equals k: at 2 about half the boxes
    remain (Szegedy 2014, section 6). `width` is the working width and `min_side` the least side of a box, in
    working pixels; `sigma` smooths before segmenting; `seed` fixes the random part of the ranking.
    """

    colours: tuple[str, ...]
    strategies: tuple[tuple[str, ...], ...]
    ks: tuple[float, ...]
    superpixel_scale: float = 1.0
    width: int = 500
    min_side: int = 20
    sigma: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "colours", tuple(self.colours))
        object.__setattr__(self, "strategies", tuple(tuple(names) for names in self.strategies))
        object.__setattr__(self, "ks", tuple(self.ks))
        for value, known, what in (
            (self.colours, COLOURS, "colours"),
            (tuple(name for names in self.strategies for name in names), SIMILARITIES, "similarities"),
        ):
            unknown = [name for name in value if name not in known]
            if unknown or not value:
                raise UsageError("PROPOSAL_SETTING", f"{what}: some of {', '.join(known)}, got {value}")
        if not all(self.strategies):
            raise UsageError("PROPOSAL_SETTING", "a strategy needs at least one similarity")
        numbers = (*self.ks, self.superpixel_scale, self.width)
        if not self.ks or not all(0 < number < float("inf") for number in numbers):
            raise UsageError("PROPOSAL_SETTING", f"k, superpixel_scale and width must exceed 0, got {numbers}")
        if self.width > MAX_WIDTH:
            raise UsageError("PROPOSAL_SETTING", f"width must not exceed {MAX_WIDTH}, got {self.width}")
        if not 0 <= self.sigma < float("inf") or self.min_side < 0 or self.seed < 0:
            raise UsageError("PROPOSAL_SETTING", "sigma, min_side and seed must not be negative")

    @classmethod
    def preset(cls, name: str, superpixel_scale: float = 1.0, seed: int = 0) -> "SelectiveSearch":
        """The search with the settings of PRESETS: "fast", "quality" or "single"."""
        if name not in PRESETS:
            raise UsageError("PROPOSAL_SETTING", f"unknown preset {name!r}, known are {', '.join(PRESETS)}")
        return cls(*PRESETS[name], superpixel_scale=superpixel_scale, seed=seed)

    @property
    def hierarchies(self) -> int:
        """Number of groupings per image."""
        return len(self.colours) * len(self.ks) * len(self.strategies)

    def groupings(self, image: Image) -> Iterator[Grouping]:
        """Every hierarchy of an image [H,W,3], by colour, k and strategy, each made when asked for."""
        working = working_image(as_image(image), self.width)
        texture = texture_codes(working)
        for colour in self.colours:
            planes = convert(working, colour)
            graph, bins = Graph.build(planes, self.sigma), colour_bins(planes)
            for k in self.ks:
                scaled = k * self.superpixel_scale
                labels = graph.segment(scaled, round(scaled))
                regions = describe(labels, bins, texture)
                for strategy in self.strategies:
                    yield Grouping(colour, k, strategy, labels, regions, group(regions, strategy))

    def propose(self, image: Image) -> Proposals:
        """Boxes of all regions of all hierarchies, duplicates removed, mostly large ones first.

        Within a hierarchy of n merges the last has priority 1, the first n and an initial region n + 1;
        priorities times random numbers from 0 to 1, rising, give the order (Uijlings 2013, section 4.4).
        """
        boxes: list[NDArray[np.int32]] = []
        priorities: list[NDArray[np.float64]] = []
        size = Size(1, 1)
        known: NDArray[np.int32] | None = None
        for grouping in self.groupings(image):
            size = Size(*grouping.labels.shape)
            merges = len(grouping.merges.boxes)
            # Strategies share the initial regions of a colour and k: those are put out once.
            if grouping.labels is not known:
                known = grouping.labels
                boxes.append(grouping.regions.boxes)
                priorities.append(np.full(len(grouping.regions.boxes), merges + 1.0))
            boxes.append(grouping.merges.boxes)
            priorities.append(np.arange(merges, 0, -1, dtype=np.float64))
        priority = np.concatenate(priorities)
        priority *= np.random.Generator(np.random.PCG64(self.seed)).random(len(priority))
        order = np.argsort(priority, kind="stable")
        original = Size(*image.shape[:2])
        return proposals_from_working(np.concatenate(boxes)[order], size, original, self.min_side, "ss")
