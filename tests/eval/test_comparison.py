import json
import math

import numpy as np
import pytest
from analysed import matched, perfect
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.bootstrap import bootstrap_aps
from googlenet_rcnn.eval.comparison import compare_detections, comparison_content, comparison_table
from googlenet_rcnn.eval.match_rule import RULES

LABELS = LabelSet(("a", "b", "c"))
TRUTHS, ROWS = random_case(5, images=40)
OTHERS = random_case(5, images=40)[1][::2]


def compare(a, b, truths=TRUTHS, rule="voc10", **options):
    options = {"rounds": 200} | options
    return compare_detections(matched(a, truths, rule), matched(b, truths, rule), RULES[rule], **options)


@pytest.mark.parametrize("rule", RULES)
def test_a_file_against_itself_is_exactly_no_difference(rule):
    same = compare(ROWS, ROWS, rule=rule)
    assert same.verdict == "no difference shown"
    assert all(one[2:] == (0, 0, 0) for one in (same.mean, *same.classes))
    assert same.not_better == 1


def test_better_and_worse_are_seen_and_mirror_each_other():
    good = compare(ROWS, perfect(TRUTHS))
    bad = compare(perfect(TRUTHS), ROWS)
    assert (good.verdict, bad.verdict) == ("B is better", "B is worse")
    assert (good.not_better, bad.not_better) == (0, 1)
    for one, other in zip((good.mean, *good.classes), (bad.mean, *bad.classes), strict=True):
        assert (one.a, one.b, one.difference) == (other.b, other.a, -other.difference)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.sign == -other.sign


def test_a_small_difference_on_few_images_is_not_called_real():
    truths, rows = random_case(5, images=6)
    compared = compare(rows, rows[1:], truths)
    assert compared.mean.difference != 0
    assert compared.verdict == "no difference shown"


def test_differences_are_those_of_the_scores_and_of_the_rounds():
    compared = compare(ROWS, OTHERS, rounds=50, seed=3, confidence=0.8)
    a, b = matched(ROWS, TRUTHS), matched(OTHERS, TRUTHS)
    ap = [average_precision(one, RULES["voc10"]) for one in (a, b)]
    assert [one.difference for one in compared.classes] == pytest.approx((ap[1].ap - ap[0].ap).tolist())
    assert compared.mean.difference == pytest.approx(ap[1].mean - ap[0].mean)
    gains = np.subtract(*(bootstrap_aps(one, RULES["voc10"], 50, 3) for one in (b, a)))
    assert compared.classes[0][3:] == pytest.approx(tuple(np.quantile(gains[:, 0], [0.1, 0.9])))
    assert compared.not_better == pytest.approx((gains.mean(axis=1) <= 0).mean())


def test_pairing_narrows_the_interval():
    """What makes images hard for both cancels out: paired rounds vary less than rounds drawn apart."""
    a, b = matched(ROWS, TRUTHS), matched(ROWS[:-5], TRUTHS)
    first = bootstrap_aps(a, RULES["voc10"], 300, 0).mean(axis=1)
    paired, apart = (bootstrap_aps(b, RULES["voc10"], 300, seed).mean(axis=1) - first for seed in (0, 1))
    assert paired.std() < apart.std() / 2


def test_seed_decides_the_bytes():
    texts = [json.dumps(comparison_content(compare(ROWS, OTHERS, seed=seed), LABELS)) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_content_and_table_tell_the_same():
    compared = compare(ROWS, OTHERS)
    content, lines = comparison_content(compared, LABELS), comparison_table(compared, LABELS).splitlines()
    assert list(content) == ["rule", "images", "rounds", "confidence", "map", "p_not_better", "verdict", "ap"]
    assert content["verdict"] == compared.verdict
    assert list(content["ap"]) == ["a", "b", "c"]
    for name, line in zip((*LABELS.names, "mean"), lines[1:5], strict=True):
        one = content["map"] if name == "mean" else content["ap"][name]
        assert line.split()[:4] == [name, f"{one['a']:.4f}", f"{one['b']:.4f}", f"{one['difference']:+.4f}"]
        assert line.endswith(" *") == (one["low"] > 0 or one["high"] < 0)
    assert lines[5].startswith(f"{compared.verdict} (200 rounds over 40 images; B was not better in ")


@pytest.mark.parametrize("truths", [[], [truth()]])
def test_without_objects_nothing_is_shown(truths):
    compared = compare([], [], truths)
    assert compared.verdict == "no difference shown"
    assert math.isnan(compared.not_better)
    content = json.loads(json.dumps(comparison_content(compared, LABELS), allow_nan=False))
    assert content["map"] == dict.fromkeys(["a", "b", "difference", "low", "high"])
    assert comparison_table(compared, LABELS).splitlines()[4].split() == ["mean", *"----", "to", "-"]


def test_different_data_sets_are_refused():
    a, b = matched([], [truth()]), matched([], [truth()] * 2)
    with pytest.raises(ValueError, match="same data set"):
        compare_detections(a, b, RULES["voc10"])
