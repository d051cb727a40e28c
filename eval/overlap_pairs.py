"""Which detections and objects of one image and class overlap enough to be worth a thought."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pairs", "overlap_pairs"]

_BLOCK = 1_000_000
Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Pairs(NamedTuple):
    """Rows of detections [P], rising, rows of objects [P], rising within a detection, and their overlap [P]."""

    detection: Indices
    truth: Indices
    overlap: Numbers

    def at(self, rows: NDArray[np.bool_] | Indices) -> "Pairs":
        """The pairs of the given rows, or for which a mask [P] is true."""
        return Pairs(self.detection[rows], self.truth[rows], self.overlap[rows])


def overlap_pairs(
    boxes: Numbers,
    cell: Indices,
    truth_boxes: Numbers,
    truth_cell: Indices,
    least: float,
    crowd: NDArray[np.bool_] | None = None,
) -> Pairs:
    """Pairs of boxes [N,4] and truth boxes [M,4] that share a cell and overlap by `least` (above 0) or more.

    A cell is one class in one image; `truth_cell` [M] rises. Overlap is intersection over union, with a
    `crowd` [M] the part of the detection that lies inside it. Boxes turned inside out overlap nothing.
    """
    corners, truth_corners = boxes.T, np.ascontiguousarray(truth_boxes.T)
    area, truth_area = _area(corners), _area(truth_corners)
    found = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for detection, truth in _blocks(cell, truth_cell):
        # Most pairs do not touch, so they go before anything is divided.
        width = np.minimum(corners[2][detection], truth_corners[2][truth])
        width -= np.maximum(corners[0][detection], truth_corners[0][truth])
        height = np.minimum(corners[3][detection], truth_corners[3][truth])
        height -= np.maximum(corners[1][detection], truth_corners[1][truth])
        touch = np.flatnonzero((width > 0) & (height > 0))
        detection, truth, shared = detection[touch], truth[touch], width[touch] * height[touch]
        union = area[detection] + truth_area[truth] - shared
        if crowd is not None:
            union = np.where(crowd[truth], area[detection], union)
        pairs = Pairs(detection, truth, shared / union)
        found.append(pairs.at(pairs.overlap >= least))
    return Pairs(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def _area(corners: Numbers) -> Numbers:
    """Areas [N] of corners [4,N]; finite rows as large as floats go are no reason to complain."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((corners[2] - corners[0]) * (corners[3] - corners[1]))


def _blocks(cell: Indices, truth_cell: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Index pairs (detection, truth) of one cell, in blocks of bounded size that split no detection."""
    cells, first, count = np.unique(truth_cell, return_index=True, return_counts=True)
    if not len(cells):
        return
    place = np.minimum(np.searchsorted(cells, cell), len(cells) - 1)
    rows = np.flatnonzero(cells[place] == cell)
    start, count = first[place[rows]], count[place[rows]]
    total = np.cumsum(count)
    begin = 0
    while begin < len(rows):
        done = total[begin - 1] if begin else 0
        block = slice(begin, max(begin + 1, int(np.searchsorted(total, done + _BLOCK, side="right"))))
        before = total[block] - count[block] - done
        within = np.arange(int(total[block.stop - 1] - done)) - np.repeat(before, count[block])
        yield np.repeat(rows[block], count[block]), np.repeat(start[block], count[block]) + within
        begin = block.stop
