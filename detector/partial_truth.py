"""Images of which not every object is annotated: they teach what objects look like, and nothing about background.

ILSVRC DET's train of 2013 is annotated for the classes that an image was collected for. R-CNN (arXiv:1311.2524,
section 4.2) takes up to 1,000 objects of a class from there, runs no proposals on these images, and draws no
background from them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from googlenet_rcnn.core.types import Sample

__all__ = ["limit_partial"]


def limit_partial(samples: Sequence[Sample], most: int, seed: int) -> list[Sample]:
    """The samples, with at most so many objects of a class among those that are not exhaustively annotated.

    Which objects stay is drawn with the seed; a sample of which none stays is left out. All others are as they were.
    """
    objects = [
        (int(label), index, row)
        for index, sample in enumerate(samples)
        if not sample.exhaustive and sample.truth is not None
        for row, (label, ignored) in enumerate(zip(sample.truth.labels, sample.truth.ignore, strict=True))
        if not ignored
    ]
    random = np.random.default_rng([seed, 4])
    taken: dict[int, int] = {}
    rows_of: dict[int, list[int]] = {}
    for place in random.permutation(len(objects)).tolist():
        label, index, row = objects[place]
        if taken.get(label, 0) < most:
            taken[label] = taken.get(label, 0) + 1
            rows_of.setdefault(index, []).append(row)
    kept = []
    for index, sample in enumerate(samples):
        if sample.exhaustive or sample.truth is None:
            kept.append(sample)
        elif index in rows_of:
            kept.append(replace(sample, truth=sample.truth[np.array(sorted(rows_of[index]))]))
    return kept
