import numpy as np
import pytest
from analysed import matched
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.eval.calibration import calibration, score_histogram

OBJECT, FAR = (0, 0, 10, 10), (50, 50, 60, 60)


def many(scores, right):
    """One image a score, with its object found or not."""
    rows = [
        (image, 0, score, OBJECT if found else FAR)
        for image, (score, found) in enumerate(zip(scores, right, strict=True))
    ]
    return matched(rows, [truth([(0, OBJECT, False)])] * len(rows))


def test_worked_out_by_hand():
    """Scores 0.9 (right), 0.95 (wrong) and 0.2 (wrong): |0.5 - 0.925| for two of three, |0 - 0.2| for one."""
    found = calibration(many([0.9, 0.95, 0.2], [True, False, False]))
    assert found.error == pytest.approx((2 * 0.425 + 0.2) / 3)
    assert found.count.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
    assert found.precision[[2, 9]].tolist() == [0, 0.5]
    assert found.score[[2, 9]] == pytest.approx([0.2, 0.925])
    assert np.isnan(found.precision[0])


@pytest.mark.parametrize("score", [0.0, 0.25, 0.5, 1.0])
def test_perfect_detections_err_by_what_their_score_lacks(score):
    assert calibration(many([score] * 4, [True] * 4)).error == pytest.approx(1 - score)
    assert calibration(many([score] * 4, [False] * 4)).error == pytest.approx(score)


def test_scores_that_tell_the_precision_are_calibrated():
    scores = np.repeat([0.1, 0.3, 0.7, 0.9], 10)
    right = np.concatenate([np.arange(10) < 10 * score for score in (0.1, 0.3, 0.7, 0.9)])
    assert calibration(many(scores, right)).error == pytest.approx(0, abs=1e-12)


def test_error_equals_the_definition_and_never_exceeds_one():
    for seed in range(5):
        truths, rows = random_case(seed)
        matches = matched(rows, truths)
        counted = matches.true | matches.false
        score, true = matches.score[counted], matches.true[counted]
        expected = 0.0
        for low in range(10):
            part = (score >= low / 10) & ((score < (low + 1) / 10) | (low == 9))
            if part.any():
                expected += part.mean() * abs(true[part].mean() - score[part].mean())
        found = calibration(matches)
        assert found.error == pytest.approx(expected)
        assert 0 <= found.error <= 1
        assert found.count.sum() == counted.sum()


@pytest.mark.parametrize("score", [-0.01, 1.01, 30.0])
def test_scores_that_are_no_probabilities_have_none(score):
    assert calibration(many([0.5, score], [True, True])) is None


def test_empty():
    found = calibration(matched([], []))
    assert np.isnan(found.error)
    assert found.count.sum() == 0
    assert score_histogram(matched([], [])).true.sum() == 0


@pytest.mark.parametrize("shift", [0.0, -3.0, 7.5])
def test_histogram_holds_every_detection_that_counts(shift):
    truths, rows = random_case(4)
    matches = matched([(image, label, score + shift, box) for image, label, score, box in rows], truths)
    found = score_histogram(matches)
    assert found.true.sum() == matches.true.sum()
    assert found.false.sum() == matches.false.sum()
    assert found.edges[0] <= min(0, matches.score.min())
    assert found.edges[-1] >= max(1, matches.score.max())
