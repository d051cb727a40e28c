"""Random data sets with all that COCO's rules tell apart: crowds, area borders, ties, empty images, crowded images."""

from dataclasses import replace

import numpy as np
from random_detections import table
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Dataset, Size

BORDERS = (0, 10, 1023.5, 1024, 1024.5, 9215.5, 9216, 9217, 20_000)


def random_coco(seed):
    """A data set and a table of detections; sides are such that boxes lie on the borders of the area ranges too."""
    generator = np.random.default_rng(seed)
    images, names = int(generator.integers(1, 8)), int(generator.integers(1, 4))

    def box():
        x, y = generator.integers(0, 20, 2) * 4
        width, height = generator.choice([4, 8, 16, 32, 36, 96, 100], 2)
        return (x, y, x + width, y + height)

    truths, rows = [], []
    for image in range(images):
        things = [
            (int(generator.integers(names)), box(), bool(generator.random() < 0.2))
            for _ in range(generator.integers(0, 7))
        ]
        one = truth(things, Size(300, 300))
        if generator.random() < 0.5:
            one = replace(one, areas=generator.choice(BORDERS, len(one)))
        truths.append(one)
        for label, around, _ in things:
            for _ in range(generator.integers(0, 4)):
                near = np.array(around) + generator.integers(-2, 3, 4) * generator.choice([0, 1, 4])
                near[2:] = np.maximum(near[2:], near[:2])
                rows.append((image, label, tuple(near)))
        many = 130 if generator.random() < 0.1 else generator.integers(0, 5)
        rows += [(image, int(generator.integers(names)), box()) for _ in range(many)]
    steps = int(generator.choice([2, 10, 1000]))
    order = generator.permutation(len(rows))
    found = table([(*rows[row][:2], generator.integers(steps) / steps, rows[row][2]) for row in order])
    data = dataset(truths, [f"class {label}" for label in range(names)])
    if generator.random() < 0.5:
        numbers = generator.permutation(images) + 5
        samples = [replace(one, number=int(n)) for one, n in zip(data.samples, numbers, strict=True)]
        data = Dataset(data.labels, samples)
    return data, found
