"""Scores put together from parts, and spread over boxes of which some were never looked at."""

from itertools import pairwise

import numpy as np
import pytest

from googlenet_rcnn.detector.region_scores import RegionScores


def drawn(seed: int, count: int, offsets: bool) -> RegionScores:
    random = np.random.default_rng(seed)
    return RegionScores(
        random.dirichlet(np.ones(4), count).astype(np.float32),
        random.normal(size=(count, 3, 4)).astype(np.float32) if offsets else None,
    )


@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("counts", [(5,), (2, 3), (0, 4), (1, 0, 3, 0), (0,), (0, 0)])
def test_parts_make_the_whole(counts, offsets) -> None:
    whole = drawn(0, sum(counts), offsets)
    edges = np.cumsum([0, *counts])
    parts = [RegionScores(*(None if column is None else column[a:b] for column in whole)) for a, b in pairwise(edges)]
    found = RegionScores.concatenate(parts)
    assert found.probabilities.tobytes() == whole.probabilities.tobytes()
    assert found.probabilities.shape == whole.probabilities.shape
    if offsets:
        assert found.offsets.tobytes() == whole.offsets.tobytes()
        assert found.offsets.shape == whole.offsets.shape
    else:
        assert found.offsets is None


@pytest.mark.parametrize("offsets", [False, True])
def test_what_was_not_scored_is_as_believed_and_stays_where_it_is(offsets) -> None:
    part, rows, others = drawn(1, 3, offsets), np.array([4, 0, 2]), drawn(5, 6, False).probabilities
    before = others.copy()
    found = part.spread(rows, others)
    assert (others == before).all()
    expected = {row: part.probabilities[place].tolist() for place, row in enumerate(rows.tolist())}
    assert found.probabilities.tolist() == [expected.get(row, others[row].tolist()) for row in range(6)]
    assert found.probabilities.dtype == np.float32
    if offsets:
        moves = {row: part.offsets[place].tolist() for place, row in enumerate(rows.tolist())}
        assert found.offsets.tolist() == [moves.get(row, np.zeros((3, 4)).tolist()) for row in range(6)]
        assert found.offsets.dtype == np.float32
    else:
        assert found.offsets is None


@pytest.mark.parametrize("offsets", [False, True])
def test_all_rows_scored_in_any_order_are_the_whole(offsets) -> None:
    whole, order = drawn(2, 7, offsets), np.random.default_rng(2).permutation(7)
    mixed = RegionScores(*(None if column is None else column[order] for column in whole))
    for found, expected in zip(mixed.spread(order, drawn(6, 7, False).probabilities), whole, strict=True):
        assert (found is expected is None) or np.array_equal(found, expected)


@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("count", [0, 3])
def test_nothing_scored(count, offsets) -> None:
    others = drawn(7, count, False).probabilities
    found = drawn(3, 0, offsets).spread(np.zeros(0, np.int64), others)
    assert found.probabilities.tolist() == others.tolist()
    assert found.probabilities.shape == (count, 4)
    assert found.offsets is None if not offsets else found.offsets.shape == (count, 3, 4)
