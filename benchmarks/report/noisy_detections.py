"""Detections as a middling detector might make them, drawn from the truth of a data set: an example to report on."""

import json
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.types import Dataset

__all__ = ["write_noisy_detections"]


def write_noisy_detections(dataset: Dataset, path: Path, seed: int = 0) -> None:
    """Writes JSON lines with found, badly placed, badly named and doubled objects, and boxes on background."""
    generator = np.random.default_rng(seed)
    names = dataset.labels.names
    with open(path, "w", encoding="utf-8") as stream:
        for sample in dataset.samples:
            assert sample.truth is not None
            height, width = sample.truth.size
            found = []
            for box, label in zip(sample.truth.boxes.coordinates, sample.truth.labels, strict=True):
                sides = np.tile(box[2:] - box[:2], 2)
                for noise in generator.choice([0.03, 0.08, 0.3], size=generator.integers(0, 4)):
                    said = label if generator.random() < 0.85 else generator.integers(len(names))
                    right = noise < 0.1 and said == label
                    score = generator.beta(5, 2) if right else generator.beta(2, 4)
                    found.append((names[said], score, box + generator.normal(0, noise, 4) * sides))
            for _ in range(generator.integers(0, 5)):
                x, y = np.sort(generator.random((2, 2)), axis=1)
                corners = np.array([x[0] * width, y[0] * height, x[1] * width + 1, y[1] * height + 1])
                found.append((names[generator.integers(len(names))], generator.beta(1.2, 6), corners))
            rows = []
            for label, score, box in sorted(found, key=lambda row: -row[1]):
                box = np.clip(box, 0, [width, height, width, height])
                if (box[2:] > box[:2]).all():
                    rows.append({"label": label, "score": round(float(score), 6), "box": box.round(2).tolist()})
            line = {"schema": 1, "image_id": sample.image_id, "status": "ok", "detections": rows}
            stream.write(json.dumps(line) + "\n")
