import math

import numpy as np
import pytest
from random_detections import random_case, table
from tiny_voc import dataset, truth

from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.bootstrap import bootstrap_map
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match


def interval(rows, truths, rule="voc10", **options):
    return bootstrap_map(match(table(rows), dataset(truths, "abc"), RULES[rule]), RULES[rule], **options)


@pytest.mark.parametrize("rule", RULES)
def test_a_round_equals_scoring_the_drawn_images(rule):
    truths, rows = random_case(11)
    for seed in range(5):
        draws = np.random.default_rng(seed).multinomial(len(truths), [1 / len(truths)] * len(truths))
        drawn = np.repeat(np.arange(len(truths)), draws)
        copies = [(new, *row[1:]) for new, old in enumerate(drawn) for row in rows if row[0] == old]
        data = dataset([truths[image] for image in drawn], "abc")
        expected = evaluate_detections(table(copies), data, RULES[rule]).mean
        found = interval(rows, truths, rule, rounds=1, seed=seed)
        assert found.low == found.high == pytest.approx(expected)


def test_interval_holds_the_mean_and_repeats_with_the_seed():
    truths, rows = random_case(2, images=40)
    found = interval(rows, truths)
    assert found.low < evaluate_detections(table(rows), dataset(truths, "abc"), RULES["voc10"]).mean < found.high
    assert found == interval(rows, truths)
    assert found != interval(rows, truths, seed=1)
    assert interval(rows, truths, confidence=0.5).high < found.high


def test_without_images_or_objects_it_is_undefined():
    for truths in ([], [truth()]):
        found = interval([], truths, rounds=10)
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    assert interval([], [truth([(0, (0, 0, 9, 9), False)])], rounds=10)[:2] == (0, 0)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="rounds"):
        interval([], [], rounds=0)
    with pytest.raises(ValueError, match="confidence"):
        interval([], [], confidence=1)
