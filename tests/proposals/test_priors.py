"""Priors against planted clusters, weighted means by hand and the law of every k-means."""

import numpy as np
import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.proposals.priors import box_weights, kmeans_priors

CENTRES = np.array([(0.1, 0.1, 0.2, 0.2), (0.6, 0.1, 0.9, 0.3), (0.1, 0.5, 0.5, 0.9), (0.02, 0.03, 0.97, 0.98)])
COUNTS = (11, 40, 25, 18)


def sides(boxes: np.ndarray) -> np.ndarray:
    return np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def planted(seed: int = 0) -> list[np.ndarray]:
    """Boxes close to four places, so many for each."""
    random = np.random.default_rng(seed)
    pairs = zip(CENTRES, COUNTS, strict=True)
    return [(centre + random.uniform(-0.02, 0.02, (count, 4))).astype(np.float32) for centre, count in pairs]


def scattered(count: int = 400, seed: int = 0) -> np.ndarray:
    """Boxes anywhere, of sides drawn evenly on a logarithmic scale."""
    random = np.random.default_rng(seed)
    size = np.exp(random.uniform(np.log(0.03), np.log(0.9), (count, 1))) * random.uniform(0.7, 1, (count, 2))
    corner = random.random((count, 2)) * (1 - size)
    return np.concatenate([corner, corner + size], axis=1).astype(np.float32)


def test_a_weight_is_a_power_of_the_side_but_the_smallest_boxes_weigh_no_more() -> None:
    boxes = np.array([(0, 0, 1, 1), (0.25, 0, 0.75, 0.5), (0, 0, 0.04, 1), (0, 0, 0.01, 0.01)], np.float32)
    np.testing.assert_allclose(box_weights(boxes, 1.0), [1, 2, 5, 20], rtol=1e-6)
    np.testing.assert_allclose(box_weights(boxes, 2.0), [1, 4, 25, 400], rtol=1e-6)
    assert box_weights(boxes, 0.0).tolist() == [1, 1, 1, 1]
    assert box_weights(boxes[:0], 1.0).shape == (0,)


@pytest.mark.parametrize("emphasis", [0.0, 1.5])
def test_planted_clusters_are_found_at_their_weighted_means_the_largest_first(emphasis) -> None:
    groups = planted()
    boxes = np.concatenate(groups)
    found = kmeans_priors(np.random.default_rng(1).permutation(boxes), 4, emphasis)
    expected = []
    for group in groups:
        weights = np.maximum(sides(group.astype(np.float64)), 0.05) ** -emphasis
        expected.append((group * weights[:, None]).sum(axis=0) / weights.sum())
    np.testing.assert_allclose(found, np.array(expected)[[1, 2, 3, 0]], atol=1e-6)  # 40, 25, 18 and 11 boxes
    assert (found.shape, found.dtype) == ((4, 4), np.float32)


def test_each_prior_is_the_weighted_mean_of_the_boxes_nearest_to_it() -> None:
    boxes = scattered()
    priors = kmeans_priors(boxes, 10, 1.0)
    nearest = np.square(boxes[:, None] - priors[None]).sum(axis=2).argmin(axis=1)
    weights = 1 / np.maximum(sides(boxes.astype(np.float64)), 0.05)
    for row, prior in enumerate(priors):
        mean = np.average(boxes[nearest == row], axis=0, weights=weights[nearest == row])
        np.testing.assert_allclose(prior, mean, atol=0.02)
    members = np.bincount(nearest, minlength=10)
    assert members.min() > 0
    assert (np.diff(members) <= 2).all()  # boxes on a border may count for either side


def test_emphasis_gives_more_small_priors() -> None:
    small = [int((sides(kmeans_priors(scattered(), 40, emphasis)) < 0.15).sum()) for emphasis in (0.0, 1.0, 2.0)]
    assert small[0] + 2 < small[1] < small[2]


def test_priors_are_boxes_within_the_image() -> None:
    priors = kmeans_priors(scattered(), 50, 1.5)
    assert priors.min() >= 0
    assert priors.max() <= 1
    assert (priors[:, :2] < priors[:, 2:]).all()


def test_as_many_priors_as_different_boxes_are_those_boxes() -> None:
    boxes = scattered(7)
    found = kmeans_priors(np.concatenate([boxes, boxes[2:3], boxes[2:3], boxes[5:6]]), 7)
    np.testing.assert_allclose(found[:2], boxes[[2, 5]], atol=1e-6)
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(boxes, axis=0), atol=1e-6)


def test_the_seed_decides() -> None:
    boxes = scattered()
    first, again, other = (kmeans_priors(boxes, 20, 1.0, seed).tobytes() for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("boxes", [scattered(4), np.tile(scattered(4), (9, 1)), np.zeros((0, 4), np.float32)])
def test_too_few_different_boxes_are_refused(boxes) -> None:
    with pytest.raises(DataError, match="different boxes cannot give 5 priors") as caught:
        kmeans_priors(boxes, 5)
    assert caught.value.code == "TOO_FEW_OBJECTS"
    assert str(len(np.unique(boxes, axis=0))) in caught.value.message
