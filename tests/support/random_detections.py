"""Detections as rows (image, label, score, box), and random ones around random truths."""

import numpy as np
from tiny_voc import truth

from googlenet_rcnn.eval.detection_table import DetectionTable


def table(rows):
    """The table of rows (image, label, score, box)."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return DetectionTable(*(np.array(column) for column in columns))


def random_case(seed, images=12, names=3):
    """Truths on a coarse grid with many near detections, so that all cases occur; distinct scores."""
    generator = np.random.default_rng(seed)

    def box():
        x, y = generator.integers(0, 12, 2) * 5
        return (x, y, x + int(generator.integers(1, 6)) * 5, y + int(generator.integers(1, 6)) * 5)

    truths, rows = [], []
    for image in range(images):
        things = [
            (int(generator.integers(names)), box(), bool(generator.random() < 0.2))
            for _ in range(generator.integers(0, 6))
        ]
        truths.append(truth(things))
        for label, (x1, y1, x2, y2), _ in things:
            for _ in range(generator.integers(0, 4)):
                shift = generator.integers(-1, 2, 4) * 2
                rows.append((image, label, 0.0, tuple(np.array((x1, y1, x2, y2)) + shift)))
        rows += [(image, int(generator.integers(names)), 0.0, box()) for _ in range(generator.integers(0, 4))]
    scores = generator.permutation(len(rows)) / len(rows)
    return truths, [(image, label, score, found) for (image, label, _, found), score in zip(rows, scores, strict=True)]
