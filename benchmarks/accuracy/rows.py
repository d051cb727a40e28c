"""Mean AP of what `score.py` kept, under different settings: with and without box regression, NMS, ensembles."""

import argparse
import json
import sys

from scored_images import ScoredImages, add_flags

from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.bootstrap import bootstrap_map
from googlenet_rcnn.eval.match_rule import RULES


def main() -> int:
    """Prints one line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_flags(parser)
    parser.add_argument("--nms", type=float, nargs="+", default=[0.3])
    parser.add_argument("--bootstrap", type=int, default=0)
    flags = parser.parse_args()
    images, rule = ScoredImages.read(flags), RULES[flags.rule]
    for regression in (False, True):
        scores = images.scores if regression else [RegionScores(one.probabilities) for one in images.scores]
        for nms_iou in flags.nms:
            matches = images.match(scores, Selection(flags.threshold, nms_iou, box_voting=flags.box_voting), rule)
            scored = average_precision(matches, rule)
            row = {"regression": regression, "nms": nms_iou, "detections": len(matches.row)}
            row["map"] = round(scored.mean, 4)
            if flags.bootstrap:
                interval = bootstrap_map(matches, rule, flags.bootstrap)
                row |= {"low": round(interval.low, 4), "high": round(interval.high, 4)}
            names = images.dataset.labels.names
            print(json.dumps(row | {"ap": dict(zip(names, scored.ap.round(3).tolist(), strict=True))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
