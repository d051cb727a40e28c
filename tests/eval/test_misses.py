import math

import numpy as np
import pytest
from analysed import matched, perfect
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.eval.misses import missed_objects, recall_by_aspect, recall_by_percentile, recall_by_size

WAYS = (recall_by_size, recall_by_percentile, recall_by_aspect)


def squares(sides, label=0):
    """One image an object, of the given side."""
    return [truth([(label, (0, 0, side, side), False)], Size(200, 200)) for side in sides]


def test_borders_of_the_sizes_are_those_of_coco():
    found = recall_by_size(matched([], squares([31, 32, 33, 95, 96, 97])), math.inf)
    assert [(one.name, one.objects) for one in found] == [("small", 1), ("medium", 3), ("large", 2)]


def test_percentiles_go_by_the_objects_of_the_class():
    """Ten small ones of a class and ten large ones of another: each class has its own smallest and largest."""
    truths = squares(range(1, 11)) + squares(range(101, 111), label=1)
    found = recall_by_percentile(matched([], truths), math.inf)
    assert [one.objects for one in found] == [2, 4, 8, 4, 2]
    smallest = [(0, 0, 0.9, (0, 0, 1, 1)), (10, 1, 0.9, (0, 0, 101, 101))]
    found = recall_by_percentile(matched(smallest, truths), 0.5)
    assert [one.found for one in found] == [2, 0, 0, 0, 0]
    assert [one.name for one in found] == ["extra small", "small", "medium", "large", "extra large"]


def test_shape_is_width_by_height():
    wide = [truth([(0, (0, 0, 10 * n, 20), False)], Size(200, 200)) for n in range(1, 11)]
    found = recall_by_aspect(matched([(9, 0, 0.9, (0, 0, 100, 20))], wide), 0.5)
    assert [one.objects for one in found] == [1, 2, 4, 2, 1]
    assert [one.found for one in found] == [0, 0, 0, 0, 1]
    assert [one.name for one in found] == ["extra tall", "tall", "medium", "wide", "extra wide"]


def test_found_with_a_low_score_is_found_but_not_shown():
    found = recall_by_size(matched([(0, 0, 0.3, (0, 0, 10, 10))], squares([10])), 0.5)
    assert (found[0].objects, found[0].found, found[0].shown) == (1, 1, 0)


@pytest.mark.parametrize("rule", ["voc10", "ilsvrc"])
@pytest.mark.parametrize("way", WAYS)
def test_groups_share_out_the_objects_and_the_finds(way, rule):
    for seed in range(4):
        truths, rows = random_case(seed)
        matches = matched(rows, truths, rule)
        groups = way(matches, 0.5)
        assert sum(one.objects for one in groups) == matches.objects.counts.sum() == len(matches.truth_label)
        assert sum(one.found for one in groups) == matches.true.sum()
        assert sum(one.shown for one in groups) == (matches.true & (matches.score >= 0.5)).sum()
        assert all(one.shown <= one.found <= one.objects for one in groups)


def test_missed_are_the_objects_without_a_true_detection():
    truths, rows = random_case(6)
    matches = matched(rows, truths)
    missed = missed_objects(matches)
    assert matches.objects.counts[missed].all()
    assert len(missed) == len(matches.truth_label) - matches.true.sum()
    assert set(missed) <= set(missed_objects(matches, 0.5)) <= set(missed_objects(matches, math.inf))
    assert np.array_equal(missed_objects(matches, math.inf), np.flatnonzero(matches.objects.counts))
    assert len(missed_objects(matched(perfect(truths), truths, "ilsvrc"))) == 0


@pytest.mark.parametrize("way", WAYS)
def test_without_objects_the_groups_are_empty(way):
    assert all(one.objects == one.found == one.shown == 0 for one in way(matched([], []), 0.5))
