import json
import math

import pytest
from analysed import analysed, perfect
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.eval.error_analysis import error_summary
from googlenet_rcnn.eval.false_positives import TYPES
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.tide import KINDS

COSTS = [*KINDS, "false positives", "false negatives"]


@pytest.mark.parametrize("rule", RULES)
def test_summary_is_json_and_its_counts_add_up(rule):
    truths, rows = random_case(8)
    errors = analysed(rows, truths, rule)
    content = error_summary(errors)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(content) == ["threshold", "calibration_error", "top_false_positives", "kinds", "map_cost", "recall"]
    assert sum(content["kinds"][kind] for kind in KINDS[:-1]) == errors.matches.false.sum()
    assert sum(content["top_false_positives"].values()) == errors.top.false.sum()
    assert (list(content["top_false_positives"]), list(content["map_cost"])) == ([*TYPES], COSTS)
    for groups in content["recall"].values():
        assert sum(one["objects"] for one in groups.values()) == len(errors.matches.truth_label)


def test_what_is_undefined_is_null():
    content = error_summary(analysed([], []))
    assert content["threshold"] is None
    assert content["calibration_error"] is None
    assert content["map_cost"] == dict.fromkeys(COSTS)
    assert error_summary(analysed([(0, 0, 7.0, (0, 0, 9, 9))], [truth()]))["calibration_error"] is None


def test_boxes_and_columns_follow_the_rank():
    truths, rows = random_case(1)
    errors = analysed(rows, truths)
    ranked = sorted(rows, key=lambda row: -row[2])
    assert errors.boxes.tolist() == [list(map(float, row[3])) for row in ranked]
    assert errors.matches.score.tolist() == [row[2] for row in ranked]


def test_similar_classes_are_known_only_when_told():
    assert not analysed([], [], names="abc").similar_known
    assert analysed([], [], names="abc", groups=[]).similar_known
    assert analysed([], [], names=("cat", "dog")).similar_known


def test_perfect_detections_have_no_errors():
    truths, _ = random_case(3)
    content = error_summary(analysed(perfect(truths), truths, "ilsvrc"))
    assert content["threshold"] == 1
    assert content["calibration_error"] == 0
    assert not any(content["kinds"].values())
    assert all(math.isclose(cost, 0, abs_tol=1e-12) for cost in content["map_cost"].values())
