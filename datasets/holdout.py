"""A part of a data set kept back for validation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from googlenet_rcnn.core.types import Dataset, Sample

__all__ = ["choose_samples", "hold_out"]


def hold_out(dataset: Dataset, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
    """The data set without `share` (0 to 1) of its images, and those images, both in order; drawn with the seed.

    At least one image is held out and one is not. An image is passed over if no other would be left to learn one of
    its classes from; so fewer are held out where classes are rare.
    """
    total = len(dataset.samples)
    if total < 2:
        return dataset, choose_samples(dataset, [])
    wanted = min(max(1, round(share * total)), total - 1)
    order = np.random.default_rng([seed, 4]).permutation(total).tolist()
    left = Counter(label for sample in dataset.samples for label in _classes(sample))
    out: list[int] = []
    for index in order:
        classes = _classes(dataset.samples[index])
        if len(out) < wanted and all(left[label] > 1 for label in classes):
            out.append(index)
            left.subtract(classes)
    held = set(out or order[:1])
    rest = [index for index in range(total) if index not in held]
    return choose_samples(dataset, rest), choose_samples(dataset, sorted(held))


def choose_samples(dataset: Dataset, indices: Sequence[int]) -> Dataset:
    """The images of these indices in their order, with what is excluded in them."""
    place = {index: row for row, index in enumerate(indices)}
    excluded = [(place[index], label) for index, label in dataset.excluded if index in place]
    return replace(dataset, samples=tuple(dataset.samples[index] for index in indices), excluded=excluded)


def _classes(sample: Sample) -> set[int]:
    """Labels of the objects that count in an image."""
    return set() if sample.truth is None else set(sample.truth.labels[~sample.truth.ignore].tolist())
