"""Mean AP of what `score.py` kept, under different settings: with and without box regression, NMS, ensembles."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.types import Dataset, Proposals
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.box_regression import move_boxes
from googlenet_rcnn.detector.cascade import Cascade
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.bootstrap import bootstrap_map
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match
from googlenet_rcnn.eval.proposal_file import read_proposals

__all__ = ["Scores", "detections", "read_scores", "survivors"]


class Scores:
    """Sparse scores of one or several networks, averaged: (image, box, label) keys, probabilities and offsets."""

    def __init__(self, key: NDArray[np.int64], probability: NDArray[np.float64], offsets: NDArray[np.float64]) -> None:
        self.key, self.probability, self.offsets = key, probability, offsets


def read_scores(paths: Sequence[Path], labels: int, boxes: int = 10_000) -> Scores:
    """The mean over files; what a file left out counts as probability 0 and has no say in the offsets."""
    keys, probabilities, offsets = [], [], []
    for path in paths:
        with np.load(path) as file:
            keys.append((file["image"].astype(np.int64) * boxes + file["box"]) * labels + file["label"])
            probabilities.append(file["probability"].astype(np.float64))
            offsets.append(file["offsets"].astype(np.float64))
    key, row = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(row, np.concatenate(probabilities), len(key))
    seen = np.bincount(row, minlength=len(key))
    moves = np.concatenate(offsets)
    mean = np.stack([np.bincount(row, moves[:, i], len(key)) for i in range(4)], axis=1) / seen[:, None]
    return Scores(key, total / len(paths), mean)


def detections(
    scores: Scores, proposals: Sequence[Proposals], labels: int, regression: bool, threshold: float, nms_iou: float,
    boxes: int = 10_000, most: int = 100,
) -> DetectionTable:  # fmt: skip
    """What is left of the scores after box regression and NMS within each class and image."""
    found: list[list[Any]] = [[], [], [], []]
    rest, label = np.divmod(scores.key, labels)
    image, box = np.divmod(rest, boxes)
    order = np.lexsort((box, label, image))
    cell = image[order] * labels + label[order]
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    for rows in np.split(order, starts[1:]):
        rows = rows[scores.probability[rows] >= threshold]
        if not len(rows):
            continue
        here = proposals[image[rows[0]]]
        place = here.boxes.coordinates[box[rows]]
        if regression:
            place = move_boxes(place, scores.offsets[rows].astype(np.float32), here.size)
        kept = nms(place, scores.probability[rows], nms_iou)[:most]
        found[0].append(image[rows][kept])
        found[1].append(label[rows][kept])
        found[2].append(scores.probability[rows][kept])
        found[3].append(place[kept])
    if not found[0]:
        return DetectionTable(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 4)))  # type: ignore[arg-type]
    return DetectionTable(*(np.concatenate(column) for column in found))


def survivors(scores: Scores, proposals: Sequence[Proposals], labels: int, boxes: int = 10_000) -> tuple[Scores, float]:
    """The scores that the cascade of fast mode would have asked for, and the share of the boxes that it scores."""
    image, box = np.divmod(scores.key // labels, boxes)
    kept = np.zeros(len(scores.key), dtype=np.bool_)
    asked = 0
    for number, found in enumerate(proposals):
        rows = np.arange(*np.searchsorted(image, [number, number + 1]))
        objectness = np.bincount(box[rows], scores.probability[rows], len(found))
        seen = np.zeros(len(found), dtype=np.bool_)

        def look(wanted: NDArray[np.int64], seen: Any = seen, objectness: Any = objectness) -> NDArray[np.float32]:
            seen[wanted] = True
            return np.stack([1 - objectness[wanted], objectness[wanted]], axis=1).astype(np.float32)

        Cascade().score(found.boxes, look)
        kept[rows] = seen[box[rows]]
        asked += int(seen.sum())
    share = asked / max(1, sum(map(len, proposals)))
    return Scores(scores.key[kept], scores.probability[kept], scores.offsets[kept]), share


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
    scores, rule = read_scores(flags.scores, len(dataset.labels)), RULES[flags.rule]
    if flags.cascade:
        scores, share = survivors(scores, proposals, len(dataset.labels))
        print(f"fast mode scores {share:.3f} of the boxes", file=sys.stderr)
    for regression in (False, True):
        for nms_iou in flags.nms:
            table = detections(scores, proposals, len(dataset.labels), regression, flags.threshold, nms_iou)
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
