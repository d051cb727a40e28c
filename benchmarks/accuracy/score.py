"""Scores every proposal of a split by one network, by any runtime, and keeps what could matter.

Kept are the class probabilities from `--keep` up with the box offsets of their classes: enough for every row of
the accuracy table, which differ in what is done with scores, and small enough to carry home from a GPU.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.in_order import in_order
from googlenet_rcnn.core.threads import available_threads
from googlenet_rcnn.core.types import Proposals, Sample
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.regions import GoogLeNetRegions
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.eval.proposal_file import read_proposals

__all__ = ["Kept", "cut_crops"]

_CHUNK = 256
_NAMES = ("image", "box", "label", "probability", "offsets")


class Kept:
    """What is kept: image, box, label, probability and offsets of each probability that is at least `least`."""

    def __init__(self, least: float) -> None:
        self.least = least
        self._columns: list[list[NDArray[np.generic]]] = [[] for _ in _NAMES]

    def add(self, image: int, first: int, scores: RegionScores) -> None:
        """Takes the scores of an image's boxes from number `first` on."""
        probabilities = scores.probabilities[:, 1:]
        rows, labels = np.nonzero(probabilities >= self.least)
        offsets = np.zeros((len(rows), 4)) if scores.offsets is None else scores.offsets[rows, labels]
        columns = (
            np.full(len(rows), image, np.int32),
            (rows + first).astype(np.int32),
            labels.astype(np.uint8),
            probabilities[rows, labels].astype(np.float32),
            offsets.astype(np.float16),
        )
        for column, part in zip(self._columns, columns, strict=True):
            column.append(part)

    def arrays(self, mirror: bool) -> dict[str, NDArray[np.generic]]:
        """The columns by name; what was seen in a mirror is turned back."""
        empty = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.float32))
        starts = (*empty, np.zeros((0, 4), np.float16))
        joined = [np.concatenate([start, *column]) for start, column in zip(starts, self._columns, strict=True)]
        found = dict(zip(_NAMES, joined, strict=True))
        if mirror:
            found["offsets"][:, 0] *= -1  # in a mirror image an object lies on the other side
        return found


@dataclass(frozen=True)
class Piece:
    """At most 256 proposals of one image, from number `first` on."""

    image: int
    first: int


def cut_crops(
    samples: Sequence[Sample], proposals: Sequence[Proposals], warp: Warp, mirror: bool
) -> Callable[[Piece], tuple[Piece, NDArray[np.uint8]]]:
    """From pieces to their crops [n,S,S,3]."""

    def cut(piece: Piece) -> tuple[Piece, NDArray[np.uint8]]:
        boxes = proposals[piece.image].boxes[piece.first : piece.first + _CHUNK]
        crops = warp.crops(read_image(samples[piece.image].path).pixels, boxes)
        return piece, np.ascontiguousarray(crops[:, :, ::-1]) if mirror else crops

    return cut


def main() -> int:
    """Writes image, box, label, probability and offsets of what was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=500, help="images of the split [%(default)s]")
    parser.add_argument("--proposals", type=Path, required=True, help="file of `propose`")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--keep", type=float, default=0.001, help="least probability kept [%(default)s]")
    parser.add_argument("--mirror", action="store_true", help="score mirrored crops")
    parser.add_argument("--runtime", default="torch", help="as of `detect` [%(default)s, the reference]")
    parser.add_argument("--workers", type=int, default=2, help="threads that read images and cut crops [%(default)s]")
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    flags = parser.parse_args()

    def say(message: str) -> None:
        print(message, file=sys.stderr)

    model = GoogLeNetRegions.load(flags.weights, flags.runtime, available_threads(), say)
    samples = read_voc(flags.data, flags.split).samples[: flags.first]
    recorded = read_proposals(flags.proposals).proposals
    proposals = [recorded[sample.image_id] for sample in samples]
    pieces = [Piece(i, first) for i, found in enumerate(proposals) for first in range(0, len(found), _CHUNK)]
    kept = Kept(flags.keep)
    cut = cut_crops(samples, proposals, model.warp, flags.mirror)
    for piece, crops in in_order(cut, pieces, flags.workers, ahead=2 * flags.workers):
        kept.add(piece.image, piece.first, model.score(crops))
    arrays = kept.arrays(flags.mirror)
    np.savez(flags.out, **arrays)
    say(f"{flags.out}: {model.engine.name}, {len(pieces)} chunks, {len(arrays['image'])} scores kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
