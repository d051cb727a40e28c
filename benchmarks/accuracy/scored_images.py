"""Images, their proposals and what `score.py` kept about each: what the tables of this folder start from."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.core.types import Dataset, Proposals
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.matching import Matches, match
from googlenet_rcnn.eval.proposal_file import read_proposals

__all__ = ["ScoredImages", "add_flags", "read_scores"]


class ScoredImages(NamedTuple):
    """A data set with the proposals of each image and their scores."""

    dataset: Dataset
    proposals: list[Proposals]
    scores: list[RegionScores]

    @classmethod
    def read(cls, flags: argparse.Namespace) -> "ScoredImages":
        """What the flags of `add_flags` name."""
        whole = read_voc(flags.data, flags.split)
        dataset: Dataset = Dataset(whole.labels, whole.samples[: flags.first])
        recorded = read_proposals(flags.proposals).proposals
        proposals = [recorded[sample.image_id] for sample in dataset.samples]
        return cls(dataset, proposals, read_scores(flags.scores, list(map(len, proposals)), len(dataset.labels)))

    def match(self, scores: Iterable[RegionScores], selection: Selection, rule: MatchRule) -> Matches:
        """Verdicts on what is selected by these scores of the proposals, an item an image."""
        pairs = zip(self.proposals, scores, strict=True)
        table = DetectionTable.from_detections(selection.select(found.boxes, one) for found, one in pairs)
        return match(table, self.dataset, rule)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say which images, proposals and scores."""
    parser.add_argument("scores", type=Path, nargs="+", help="npz files of score.py; several are averaged")
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=500, help="images of the split [%(default)s]")
    parser.add_argument("--proposals", type=Path, required=True, help="file of `propose`")
    parser.add_argument("--threshold", type=float, default=0.01, help="least score of a detection [%(default)s]")
    parser.add_argument("--box-voting", type=float, default=0.5, help="least overlap; 1: none [%(default)s]")
    parser.add_argument("--rule", default="voc07")


def read_scores(paths: Sequence[Path], counts: Sequence[int], classes: int) -> list[RegionScores]:
    """The scores of each image's boxes, averaged over files; what a file left out counts as background there.

    Offsets are averaged over the files that have them.
    """
    files = [dict(np.load(path)) for path in paths]
    found = []
    for image, count in enumerate(counts):
        probabilities = np.zeros((count, 1 + classes))
        offsets, seen = np.zeros((count, classes, 4)), np.zeros((count, classes, 1))
        for file in files:
            rows = slice(*np.searchsorted(file["image"], [image, image + 1]))
            box, label = file["box"][rows], file["label"][rows].astype(np.int64)
            probabilities[box, 1 + label] += file["probability"][rows] / len(files)
            offsets[box, label] += file["offsets"][rows]
            seen[box, label] += 1
        probabilities[:, 0] = 1 - probabilities[:, 1:].sum(axis=1)
        mean = offsets / np.maximum(seen, 1)
        found.append(RegionScores(probabilities.astype(np.float32), mean.astype(np.float32)))
    return found
