"""TIDE's kinds and costs; the expectations follow the paper's definitions, not the code."""

import math

import numpy as np
import pytest
from analysed import analysed, perfect
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.tide import KINDS, map_without

OBJECT, FAR = (0, 0, 10, 10), (50, 50, 60, 60)
SCENE = [truth([(0, OBJECT, False)])]


def kinds(rows, truths, **options):
    errors = analysed(rows, truths, **options)
    return [KINDS[kind] if kind >= 0 else "" for kind in errors.tide.kind], int(errors.tide.missed.sum())


@pytest.mark.parametrize(
    ("rows", "expected", "missed"),
    [
        ([(0, 0, 0.5, (0, 0, 10, 4.9))], ["localisation"], 0),
        ([(0, 0, 0.5, (0, 0, 10, 1))], ["localisation"], 0),
        ([(0, 1, 0.5, OBJECT)], ["classification"], 0),
        ([(0, 1, 0.5, (0, 0, 10, 4))], ["both"], 1),
        ([(0, 1, 0.5, (0, 0, 10, 1))], ["background"], 1),
        ([(0, 0, 0.5, FAR)], ["background"], 1),
        ([(0, 0, 0.9, OBJECT), (0, 0, 0.5, OBJECT)], ["", "duplicate"], 0),
        ([(0, 0, 0.9, OBJECT), (0, 1, 0.5, OBJECT)], ["", "classification"], 0),
        ([], [], 1),
    ],
)
def test_worked_out_by_hand(rows, expected, missed):
    assert kinds(rows, SCENE) == (expected, missed)


def test_objects_that_do_not_count_are_never_missed_nor_gained():
    assert kinds([(0, 1, 0.5, OBJECT)], [truth([(0, OBJECT, True)])]) == (["classification"], 0)
    errors = analysed([(0, 1, 0.5, OBJECT)], [truth([(0, OBJECT, True)])])
    assert errors.tide.mended.tolist() == [-1]
    assert math.isnan(errors.costs["missed"])


def test_a_small_object_of_ilsvrc_is_found_by_less_and_so_confused_by_less():
    small = [truth([(0, (0, 0, 5, 5), False)])]
    half = [(0, 1, 0.5, (0, 0, 5, 2))]
    assert kinds(half, small, rule="voc10")[0] == ["both"]
    assert kinds(half, small, rule="ilsvrc")[0] == ["classification"]


def test_costs_by_hand():
    """Two objects; a badly placed box first, then a found one: AP 1/4; without the first 1/2, with it mended 1."""
    scene = [truth([(0, OBJECT, False), (0, FAR, False)])]
    rows = [(0, 0, 0.9, (0, 0, 10, 4)), (0, 0, 0.8, FAR)]
    costs = analysed(rows, scene).costs
    assert costs == pytest.approx(
        dict.fromkeys(KINDS, 0.0) | {"localisation": 0.75, "false positives": 0.25, "false negatives": 0.25}
    )
    # With the object found further down (AP 2/3), mending takes the bad box away.
    assert analysed([*rows, (0, 0, 0.7, OBJECT)], scene).costs["localisation"] == pytest.approx(1 / 3)


def test_mending_a_name_moves_the_detection_to_the_right_class():
    scene = [truth([(0, OBJECT, False), (1, FAR, False)])]
    costs = analysed([(0, 1, 0.9, OBJECT), (0, 1, 0.8, FAR)], scene).costs
    assert costs["classification"] == pytest.approx(1 - 0.25)


def test_of_several_detections_the_best_one_is_mended_and_the_others_go():
    rows = [(0, 0, 0.9, (0, 0, 10, 4)), (0, 0, 0.8, (0, 0, 10, 4.5))]
    errors = analysed(rows, SCENE)
    assert map_without(errors.matches, errors.tide, RULES["voc10"], ("localisation",)) == 1


def test_the_best_one_of_an_object_is_chosen_whatever_its_kind():
    """As TIDE does: mending names alone does not mend one whose object a better box is badly placed on."""
    scene = [truth([(0, OBJECT, False), (0, FAR, False)])]
    rows = [(0, 0, 0.95, FAR), (0, 0, 0.9, (0, 0, 10, 4)), (0, 1, 0.8, OBJECT)]
    errors = analysed(rows, scene)
    assert errors.tide.mended.tolist() == [-1, 0, -1]
    assert errors.costs["classification"] == 0
    assert errors.costs["localisation"] == pytest.approx(0.5)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(6))
def test_laws(rule, seed):
    truths, rows = random_case(seed)
    errors = analysed(rows, truths, rule)
    tide, matches, chosen = errors.tide, errors.matches, RULES[rule]
    assert ((tide.kind >= 0) == matches.false).all()
    base = average_precision(matches, chosen).mean
    assert map_without(matches, tide, chosen, ()) == pytest.approx(base)
    assert map_without(matches, tide, chosen, KINDS) == 1
    # Mending all kinds of false detections leaves an AP that is the part of objects that can be found at all.
    found = map_without(matches, tide, chosen, KINDS[:-1])
    objects = np.bincount(matches.truth_label, minlength=3)
    reach = 1 - np.bincount(matches.objects.label[tide.missed], minlength=3) / objects
    if chosen.curve == "area":
        assert found == pytest.approx(reach.mean())
    for kind in ("localisation", "duplicate", "background", "both", "false positives", "false negatives"):
        assert errors.costs[kind] >= -1e-12, kind
    free = set(np.flatnonzero(matches.objects.counts)) - set(matches.chosen[matches.true])
    assert set(tide.mended[tide.mended >= 0]) | set(np.flatnonzero(tide.missed)) == free


def test_perfect_and_empty():
    truths, _ = random_case(1)
    assert analysed(perfect(truths), truths, "ilsvrc").costs == pytest.approx(
        dict.fromkeys([*KINDS, "false positives", "false negatives"], 0.0)
    )
    costs = analysed([], SCENE).costs
    assert (costs["missed"], costs["false negatives"], costs["background"]) == (1, 1, 0)
    assert all(math.isnan(cost) for cost in analysed([], []).costs.values())
