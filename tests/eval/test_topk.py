"""Top-k accuracy against scikit-learn and against loops that follow the definition."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from googlenet_rcnn.eval.topk import class_accuracy, confusions, rank_classes, top_k_accuracy


@st.composite
def cases(draw):
    """Probabilities on a coarse grid, so that ties are common, and labels."""
    images, classes = draw(st.integers(0, 12)), draw(st.integers(1, 7))
    levels = draw(st.lists(st.integers(0, 4), min_size=images * classes, max_size=images * classes))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    return np.array(levels, dtype=np.float64).reshape(images, classes) / 4, np.array(labels, dtype=np.int64)


def hit(row, label, k):
    """Whether fewer than k classes come before the label: more probable ones, and equal ones of lower index."""
    before = sum(value > row[label] or (value == row[label] and other < label) for other, value in enumerate(row))
    return before < k


@given(cases(), st.integers(1, 9))
def test_accuracy_is_the_share_of_images_whose_label_few_classes_beat(case, k):
    probabilities, labels = case
    ranked = rank_classes(probabilities, k)
    assert ranked.shape == (len(labels), min(k, probabilities.shape[1]))
    expected = [hit(row, label, k) for row, label in zip(probabilities, labels, strict=True)]
    accuracy = top_k_accuracy(ranked, labels, k)
    assert np.isnan(accuracy) if not expected else accuracy == pytest.approx(np.mean(expected))
    by_class = class_accuracy(ranked, labels, probabilities.shape[1], k)
    for label, found in enumerate(by_class):
        own = [one for one, which in zip(expected, labels, strict=True) if which == label]
        assert np.isnan(found) if not own else found == pytest.approx(np.mean(own))


@given(cases())
def test_confusions_are_the_wrong_first_guesses(case):
    probabilities, labels = case
    ranked = rank_classes(probabilities, 5)
    first = [int(np.argmax(row)) for row in probabilities]
    counted = Counter((int(label), guess) for label, guess in zip(labels, first, strict=True) if label != guess)
    expected = sorted(((*pair, count) for pair, count in counted.items()), key=lambda row: (-row[2], row[:2]))
    for most in (0, 1, 3, 100):
        assert [tuple(pair) for pair in confusions(ranked, labels, most)] == expected[:most]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_scikit_learn_agrees(k):
    random = np.random.default_rng(k)
    probabilities = random.dirichlet(np.ones(12), size=400)
    labels = random.integers(0, 12, 400)
    expected = top_k_accuracy_score(labels, probabilities, k=k, labels=np.arange(12))
    assert top_k_accuracy(rank_classes(probabilities, k), labels, k) == pytest.approx(expected)
    assert top_k_accuracy(rank_classes(probabilities, 5), labels, k) == pytest.approx(expected)


def test_more_guesses_than_classes_are_always_right():
    ranked = rank_classes(np.array([[0.9, 0.1], [0.2, 0.8]]), 5)
    assert ranked.tolist() == [[0, 1], [1, 0]]
    assert top_k_accuracy(ranked, np.array([1, 0]), 5) == 1
    assert top_k_accuracy(ranked, np.array([1, 0]), 1) == 0


def test_ties_go_to_the_lower_index():
    assert rank_classes(np.full((1, 6), 0.5), 5).tolist() == [[0, 1, 2, 3, 4]]
    assert rank_classes(np.array([[0.1, 0.4, 0.1, 0.4]]), 4).tolist() == [[1, 3, 0, 2]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_probabilities_that_are_no_numbers_are_refused(value):
    with pytest.raises(ValueError, match="row 1"):
        rank_classes(np.array([[0.5, 0.5], [0.5, value]]), 1)
