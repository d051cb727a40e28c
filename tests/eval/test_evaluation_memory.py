"""Memory grows with the detections and no faster, however many of them meet in one image."""

import tracemalloc

import numpy as np
import pytest
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.coco_metric import coco_metrics
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES

EVALUATIONS = {
    **{name: lambda found, data, rule=rule: evaluate_detections(found, data, rule) for name, rule in RULES.items()},
    "coco": coco_metrics,
}


def scene(images, detections):
    """As many images, of five objects each, and detections in all."""
    generator = np.random.default_rng(0)
    boxes = [(x, 10, x + 60, 70) for x in range(0, 300, 60)]
    data = dataset([truth([(0, box, False) for box in boxes], Size(400, 400))] * images, ["cat"])
    corner = generator.integers(0, 300, (detections, 2))
    found = np.concatenate([corner, corner + generator.integers(20, 90, (detections, 2))], axis=1)
    image = np.sort(generator.integers(images, size=detections))
    return DetectionTable(image, np.zeros(detections, np.int64), generator.random(detections), found), data


def peak(evaluate, images, detections):
    found, data = scene(images, detections)
    tracemalloc.start()
    try:
        evaluate(found, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", EVALUATIONS)
def test_memory_is_linear_in_detections(name, monkeypatch):
    # Pairs are made in blocks, whose size does not grow.
    monkeypatch.setattr("googlenet_rcnn.eval.overlap_pairs._BLOCK", 10_000)
    evaluate = EVALUATIONS[name]
    peak(evaluate, 10, 100)
    few, many, crowded = (peak(evaluate, *size) for size in ((200, 20_000), (800, 80_000), (20, 80_000)))
    assert many < 4.4 * few
    assert crowded < 4.4 * few
    assert many < 80_000 * 400  # bytes
