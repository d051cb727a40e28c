"""Laws of the pool: nobody's vote, everybody's, order, and what a veto is worth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from googlenet_rcnn.detector.opinions import pool_opinions

VOTES = (0.0, 0.2, 0.5, 0.9, 1.0)


def opinions(count=40, classes=5, seed=0):
    random = np.random.default_rng(seed)
    return [random.dirichlet(np.full(classes, 0.3), count).astype(np.float32) for _ in range(2)]


@pytest.mark.parametrize("vote", VOTES)
def test_rows_are_distributions(vote) -> None:
    pooled = pool_opinions(*opinions(), vote)
    assert pooled.dtype == np.float32
    assert (pooled >= 0).all()
    np.testing.assert_allclose(pooled.sum(axis=1), 1, atol=1e-6)


def test_without_a_vote_nothing_changes_and_with_all_of_it_the_other_decides() -> None:
    first, second = opinions()
    assert pool_opinions(first, second, 0.0) is first
    np.testing.assert_allclose(pool_opinions(first, second, 1.0), second, atol=2e-5)


@pytest.mark.parametrize("vote", VOTES[1:])
def test_equals_the_weighted_geometric_mean(vote) -> None:
    first, second = (one.clip(1e-4) for one in opinions())
    mean = first.astype(np.float64) ** (1 - vote) * second.astype(np.float64) ** vote
    np.testing.assert_allclose(
        pool_opinions(first, second, vote), mean / mean.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize("vote", VOTES)
def test_who_agrees_is_not_moved(vote) -> None:
    first, _ = opinions()
    np.testing.assert_allclose(pool_opinions(first, first, vote), first, atol=2e-5)


@pytest.mark.parametrize("vote", VOTES)
def test_two_opinions_may_change_places_with_their_votes(vote) -> None:
    first, second = opinions()
    np.testing.assert_allclose(
        pool_opinions(first, second, vote), pool_opinions(second, first, 1 - vote), rtol=1e-3, atol=2e-5
    )


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.98), st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_more_of_a_class_in_either_look_is_more_of_it_in_both(vote, first, second, more) -> None:
    def pooled(p, q):
        rows = [np.array([[1 - x, x]], np.float32) for x in (p, q)]
        return pool_opinions(rows[0], rows[1], vote)[0, 1]

    assert pooled(first + more, second) >= pooled(first, second)
    assert pooled(first, second + more) >= pooled(first, second)


def test_a_zero_counts_little_but_is_no_veto() -> None:
    certain, never = np.array([[0.0, 1.0]], np.float32), np.array([[1.0, 0.0]], np.float32)
    assert pool_opinions(certain, never, 0.5)[0].tolist() == pytest.approx([0.5, 0.5])
    assert 0 < pool_opinions(certain, never, 0.9)[0, 1] < 1e-4


@pytest.mark.parametrize("vote", VOTES)
def test_nothing_to_pool(vote) -> None:
    empty = np.zeros((0, 4), np.float32)
    assert pool_opinions(empty, empty, vote).shape == (0, 4)
