"""Mean AP of what `score.py` kept, under different settings: with and without box regression, NMS, ensembles."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Dataset, Proposals
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.cascade import Cascade
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.bootstrap import bootstrap_map
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match
from googlenet_rcnn.eval.proposal_file import read_proposals

__all__ = ["read_scores", "survivors"]


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


def survivors(scores: RegionScores, proposals: Proposals) -> tuple[RegionScores, int]:
    """The scores that the cascade of fast mode asks for, the others background, and how many boxes that are."""
    asked: list[NDArray[np.int64]] = []

    def look(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        asked.append(rows)
        return scores.probabilities[rows]

    probabilities = Cascade().score(proposals.boxes, look)
    return RegionScores(probabilities, scores.offsets), sum(map(len, asked))


def main() -> int:
    """Prints one line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scores", type=Path, nargs="+", help="npz files of score.py; several are averaged")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=500)
    parser.add_argument("--proposals", type=Path, required=True)
    parser.add_argument("--nms", type=float, nargs="+", default=[0.3])
    parser.add_argument("--threshold", type=float, default=0.01)
    parser.add_argument("--bootstrap", type=int, default=0)
    parser.add_argument("--rule", default="voc07")
    parser.add_argument("--cascade", action="store_true", help="only what fast mode would have scored")
    flags = parser.parse_args()
    whole = read_voc(flags.data, flags.split)
    dataset: Dataset = Dataset(whole.labels, whole.samples[: flags.first])
    recorded = read_proposals(flags.proposals).proposals
    proposals = [recorded[sample.image_id] for sample in dataset.samples]
    scores, rule = read_scores(flags.scores, list(map(len, proposals)), len(dataset.labels)), RULES[flags.rule]
    if flags.cascade:
        kept = [survivors(*pair) for pair in zip(scores, proposals, strict=True)]
        scores = [one for one, _ in kept]
        share = sum(count for _, count in kept) / max(1, sum(map(len, proposals)))
        print(f"fast mode scores {share:.3f} of the boxes", file=sys.stderr)
    for regression in (False, True):
        for nms_iou in flags.nms:
            selection = Selection(flags.threshold, nms_iou)
            table = DetectionTable.from_detections(
                selection.select(found.boxes, one if regression else RegionScores(one.probabilities))
                for found, one in zip(proposals, scores, strict=True)
            )
            matches = match(table, dataset, rule)
            scored = average_precision(matches, rule)
            row = {"regression": regression, "nms": nms_iou, "detections": len(table), "map": round(scored.mean, 4)}
            if flags.bootstrap:
                interval = bootstrap_map(matches, rule, flags.bootstrap)
                row |= {"low": round(interval.low, 4), "high": round(interval.high, 4)}
            row["ap"] = dict(zip(dataset.labels.names, scored.ap.round(3).tolist(), strict=True))
            print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
