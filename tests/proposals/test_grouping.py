"""The grouping against one that looks at all pairs before every merge."""

import numpy as np
import pytest

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Image
from googlenet_rcnn.proposals.colour import convert
from googlenet_rcnn.proposals.felzenszwalb import Graph
from googlenet_rcnn.proposals.grouping import group
from googlenet_rcnn.proposals.regions import Regions, colour_bins, describe, texture_codes

STRATEGIES = [("colour", "texture", "size", "fill"), ("texture", "size", "fill"), ("fill",), ("size",)]


def regions_of(image: Image, k: float = 30, min_size: int = 4) -> Regions:
    planes = convert(image, "lab")
    labels = Graph.build(planes).segment(k, min_size)
    return describe(labels, colour_bins(planes), texture_codes(image))


def noisy_image(seed: int) -> Image:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (6, 7, 3)).repeat(5, axis=0).repeat(5, axis=1)
    noise = rng.integers(-30, 30, blocks.shape)
    return np.asarray(np.clip(blocks + noise, 0, 255), dtype=np.uint8)


def slow_group(regions: Regions, strategy: tuple[str, ...]) -> list[tuple[int, int]]:
    """Pairs in merge order; every similarity is worked out anew from the formulas in every round."""
    pixels = int(regions.sizes.sum())
    size = {r: int(s) for r, s in enumerate(regions.sizes)}
    box = {r: b.tolist() for r, b in enumerate(regions.boxes)}
    colour = {r: h.astype(np.int64) for r, h in enumerate(regions.colour)}
    texture = {r: h.astype(np.int64) for r, h in enumerate(regions.texture)}
    near = {frozenset(pair) for pair in regions.pairs.tolist()}
    order: list[tuple[int, int]] = []

    def around(a: int, b: int) -> list[int]:
        return [f(p, q) for f, p, q in zip((min, min, max, max), box[a], box[b], strict=True)]

    def similarity(a: int, b: int) -> float:
        total = 0.0
        x1, y1, x2, y2 = around(a, b)
        # Summed one by one, as rounding decides between close values.
        for name, histograms, channels in (("colour", colour, 3), ("texture", texture, 24)):
            if name in strategy:
                # Over a common denominator the shares are whole numbers: no rounding decides between close pairs.
                shared = np.minimum(histograms[a] * size[b], histograms[b] * size[a]).sum()
                total += float(shared) / (size[a] * size[b]) / channels
        if "size" in strategy:
            total += 1 - (size[a] + size[b]) / pixels
        if "fill" in strategy:
            total += 1 - ((x2 - x1) * (y2 - y1) - (size[a] + size[b])) / pixels
        return total

    while len(size) > 1:
        pairs = sorted(tuple(sorted(pair)) for pair in near)
        a, b = max(pairs, key=lambda pair: (similarity(*pair), -pair[0], -pair[1]))
        new = len(regions.sizes) + len(order)
        order.append((a, b))
        box[new], size[new] = around(a, b), size[a] + size[b]
        for histograms in (colour, texture):
            histograms[new] = histograms[a] + histograms[b]
        near = {frozenset(new if r in (a, b) else r for r in pair) for pair in near}
        near = {pair for pair in near if len(pair) == 2}
        for table in (size, box, colour, texture):
            del table[a], table[b]
    return order


@pytest.mark.parametrize("strategy", STRATEGIES, ids="+".join)
@pytest.mark.parametrize("seed", range(3))
def test_merges_equal_those_of_the_definition(strategy: tuple[str, ...], seed: int) -> None:
    regions = regions_of(noisy_image(seed))
    assert 10 < len(regions.sizes) < 150
    merges = group(regions, strategy)
    assert [tuple(sorted(pair)) for pair in merges.pairs.tolist()] == slow_group(regions, strategy)


@pytest.mark.parametrize("strategy", STRATEGIES, ids="+".join)
def test_the_last_region_is_the_image_and_boxes_grow(strategy: tuple[str, ...]) -> None:
    regions = regions_of(noisy_image(5))
    merges = group(regions, strategy)
    assert len(merges.boxes) == len(regions.sizes) - 1
    assert merges.boxes[-1].tolist() == [0, 0, 35, 30]
    boxes = np.concatenate([regions.boxes, merges.boxes])
    for (a, b), box in zip(merges.pairs, merges.boxes, strict=True):
        assert box[:2].tolist() == np.minimum(boxes[a, :2], boxes[b, :2]).tolist()
        assert box[2:].tolist() == np.maximum(boxes[a, 2:], boxes[b, 2:]).tolist()


def test_input_is_left_alone() -> None:
    regions = regions_of(noisy_image(6))
    copies = [values.tobytes() for values in regions]
    group(regions, STRATEGIES[0])
    assert [values.tobytes() for values in regions] == copies


def test_one_region_has_no_merges() -> None:
    merges = group(regions_of(np.full((8, 8, 3), 90, np.uint8)), STRATEGIES[0])
    assert merges.pairs.shape == (0, 2)
    assert merges.boxes.shape == (0, 4)


@pytest.mark.parametrize("strategy", [(), ("shape",)])
def test_unknown_similarity_is_a_usage_error(strategy: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="strategy"):
        group(regions_of(noisy_image(0)), strategy)
