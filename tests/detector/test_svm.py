"""SVMs by hard negatives alone are those of all windows; calibrated scores are log-odds in the same order."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.svm import SVC, LinearSVC

from googlenet_rcnn.detector.svm import LinearScore, SvmSettings, calibrated, fit_svm

SETTINGS = SvmSettings(first=50)


def clouds(seed: int = 0, positives: int = 60, negatives: int = 3000, width: int = 12):
    """Features around two points, mostly apart, at the length that the settings expect."""
    random = np.random.default_rng(seed)
    centre = np.eye(width)[0] * 14
    near = random.normal(scale=4, size=(positives, width)) + centre
    far = random.normal(scale=4, size=(negatives, width)) - centre
    return near.astype(np.float32), far.astype(np.float32)


def everything(positives, negatives, settings=SETTINGS) -> LinearScore:
    """The SVM that has all negatives before it at once."""
    machine = LinearSVC(
        loss="hinge", C=settings.cost, class_weight={1: settings.positive_weight}, intercept_scaling=settings.bias,
        max_iter=100_000, random_state=0,
    )  # fmt: skip
    machine.fit(np.concatenate([positives, negatives]), [1] * len(positives) + [0] * len(negatives))
    return LinearScore(machine.coef_[0], float(machine.intercept_[0]))


@pytest.mark.parametrize("seed", range(3))
def test_hard_negatives_alone_lead_to_the_svm_of_all(seed) -> None:
    positives, negatives = clouds(seed)
    mined, whole = fit_svm(positives, negatives, SETTINGS, 0), everything(positives, negatives)
    windows = np.concatenate([positives, negatives])
    np.testing.assert_allclose(mined.of(windows), whole.of(windows), atol=0.02)


def test_it_is_the_svm_of_another_solver() -> None:
    """With a feature of `bias` beside the others a linear kernel has no bias of its own to speak of."""
    positives, negatives = clouds(positives=30, negatives=200)
    settings = SvmSettings(positive_weight=1.0, first=1000)
    windows = np.concatenate([positives, negatives])
    beside = np.concatenate([windows, np.full((len(windows), 1), settings.bias)], axis=1)
    other = SVC(kernel="linear", C=settings.cost, tol=1e-6).fit(beside, [1] * 30 + [0] * 200)
    ours = fit_svm(positives, negatives, settings, 0)
    agreement = np.corrcoef(ours.of(windows), other.decision_function(beside))[0, 1]
    assert agreement > 0.999


def test_only_negatives_near_the_margin_matter() -> None:
    positives, negatives = clouds()
    score = fit_svm(positives, negatives, SETTINGS, 0)
    far = negatives[score.of(negatives) < -1.5]
    assert len(far) > 500
    more = fit_svm(positives, np.concatenate([negatives, 2 * far]), SETTINGS, 0)
    np.testing.assert_allclose(more.of(positives), score.of(positives), atol=0.05)


def test_positives_weigh_more() -> None:
    positives, negatives = clouds(positives=5)
    light = fit_svm(positives, negatives, SETTINGS.model_copy(update={"positive_weight": 1.0}), 0)
    heavy = fit_svm(positives, negatives, SETTINGS.model_copy(update={"positive_weight": 20.0}), 0)
    assert heavy.of(positives).mean() > light.of(positives).mean()


def test_the_same_seed_gives_the_same_bits_and_one_negative_is_enough() -> None:
    positives, negatives = clouds()
    first, second = (fit_svm(positives, negatives, SETTINGS, 7) for _ in range(2))
    assert first.bias == second.bias
    assert np.array_equal(first.weights, second.weights)
    alone = fit_svm(positives[:1], negatives[:1], SETTINGS, 0)
    assert alone.of(positives[:1]) > alone.of(negatives[:1])


def test_calibrated_scores_are_log_odds_in_the_same_order() -> None:
    random = np.random.default_rng(0)
    score = LinearScore(np.array([1.0]), 0.0)
    features = random.normal(scale=2, size=(40_000, 1)).astype(np.float32)
    odds = 1.5 * features[:, 0] - 2
    shares = (random.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.float32)
    found = calibrated(score, features, shares)
    assert found.weights[0] == pytest.approx(1.5, abs=0.08)
    assert found.bias == pytest.approx(-2, abs=0.08)
    assert (np.diff(found.of(np.sort(features, axis=0))) >= 0).all()


def test_shares_between_count_for_both_sides() -> None:
    features = np.array([[-1], [1]], np.float32)
    found = calibrated(LinearScore(np.array([1.0]), 0.0), features, np.array([0.25, 0.75], np.float32))
    np.testing.assert_allclose(1 / (1 + np.exp(-found.of(features))), [0.25, 0.75], atol=0.01)


def test_scores_against_the_grain_are_flattened_and_not_turned_round() -> None:
    features = np.linspace(-1, 1, 50, dtype=np.float32)[:, None]
    score = LinearScore(np.array([1.0]), 0.0)
    found = calibrated(score, features, (features[:, 0] < 0).astype(np.float32))
    assert found.weights[0] > 0


@pytest.mark.parametrize("change", [{"cost": 0.0}, {"rounds": 0}, {"norm": -1.0}, {"first": 0}, {"C": 1.0}])
def test_impossible_settings_are_refused(change) -> None:
    with pytest.raises(ValidationError):
        SvmSettings(**change)
