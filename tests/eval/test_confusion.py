import math

import numpy as np
import pytest
from analysed import analysed, matched, perfect
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.confusion import Confusion, confusion_matrix, worst_confusions
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.operating_point import best_threshold

OBJECT, FAR = (0, 0, 10, 10), (50, 50, 60, 60)
SCENE = [truth([(0, OBJECT, False), (1, FAR, False), (2, (100, 50, 120, 60), True)])]


def matrix(rows, truths=SCENE, threshold=-math.inf):
    errors = analysed(rows, truths)
    return confusion_matrix(errors.matches, errors.nearest, threshold).tolist()


def test_worked_out_by_hand():
    """The a is taken for c by the better of two, the b is found; a second b and the beaten box are left over."""
    rows = [(0, 2, 0.9, OBJECT), (0, 1, 0.8, OBJECT), (0, 1, 0.7, FAR), (0, 1, 0.6, FAR)]
    assert matrix(rows) == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 2, 0, 0]]
    assert matrix(rows, threshold=0.85) == [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix([]) == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_found_object_is_not_taken_for_another_and_ignored_ones_for_nothing():
    assert matrix([(0, 1, 0.9, OBJECT), (0, 0, 0.5, OBJECT)])[0] == [1, 0, 0, 0]
    rows = [(0, 2, 0.9, (100, 50, 120, 60)), (0, 0, 0.5, (100, 50, 120, 60))]
    assert matrix(rows)[2:] == [[0, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(4))
def test_sums(rule, seed):
    truths, rows = random_case(seed)
    errors = analysed(rows, truths, rule)
    matches = errors.matches
    for threshold in (-math.inf, 0.5, math.inf):
        counts = confusion_matrix(matches, errors.nearest, threshold)
        shown = matches.score >= threshold
        assert counts[:-1].sum(axis=1).tolist() == np.bincount(matches.truth_label, minlength=3).tolist()
        assert counts.diagonal().tolist() == [*np.bincount(matches.label[matches.true & shown], minlength=3), 0]
        off = counts[:-1, :-1].sum() - counts.diagonal().sum()
        assert counts[-1].sum() + off == (matches.false & shown).sum()


def test_perfect_detections_stand_on_the_diagonal():
    truths, _ = random_case(2)
    counts = analysed(perfect(truths), truths, "ilsvrc").confusion
    assert np.array_equal(counts, np.diag(counts.diagonal()))


def test_worst_pairs_come_first_and_equal_ones_in_order():
    counts = np.array([[9, 2, 0, 5], [3, 9, 2, 5], [0, 0, 9, 5], [7, 7, 7, 0]])
    labels = LabelSet(("a", "b", "c"))
    expected = [Confusion("b", "a", 3), Confusion("a", "b", 2), Confusion("b", "c", 2)]
    assert worst_confusions(counts, labels) == expected
    assert worst_confusions(counts, labels, most=1) == expected[:1]
    assert worst_confusions(np.diag([1, 1, 1, 0]), labels) == []


def test_threshold_is_the_best_of_all():
    for seed in range(8):
        truths, rows = random_case(seed)
        rows = [(image, label, round(score, 1), box) for image, label, score, box in rows]
        matches = matched(rows, truths)
        counted, objects = matches.true | matches.false, len(matches.truth_label)

        def f1(least, matches=matches, counted=counted, objects=objects):
            shown = matches.score >= least
            return 2 * (matches.true & shown).sum() / ((counted & shown).sum() + objects)

        best = max(sorted({row[2] for row in rows}, reverse=True), key=f1)
        assert best_threshold(matches) == best


def test_without_a_find_there_is_no_threshold():
    assert best_threshold(matched([], SCENE)) == math.inf
    assert best_threshold(matched([(0, 0, 0.5, FAR)], SCENE)) == math.inf
