"""The loss against exhaustive search and slow loops over the formulas of the paper."""

from itertools import permutations
from math import exp, log1p

import numpy as np
import pytest
import torch

from googlenet_rcnn.proposals.multibox_head import MultiBoxOutput
from googlenet_rcnn.proposals.multibox_loss import assign, multibox_loss

pytestmark = pytest.mark.usefixtures("one_thread")

ALPHA = 0.3  # of the paper


def boxes(count: int, random: np.random.Generator) -> np.ndarray:
    return np.sort(random.random((count, 2, 2)), axis=1).reshape(count, 4).astype(np.float32)


def drawn(predictions: int, objects: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Locations, logits and objects of one image."""
    random = np.random.default_rng(seed)
    return boxes(predictions, random), random.normal(size=predictions).astype(np.float32), boxes(objects, random)


def weight(box: np.ndarray, emphasis: float) -> float:
    side = (float(box[2]) - float(box[0])) * (float(box[3]) - float(box[1]))
    return max(side**0.5, 0.05) ** -emphasis


def match(location, box, alpha: float, emphasis: float) -> float:
    """alpha/2 w |l - g|^2."""
    distance = sum((float(a) - float(b)) ** 2 for a, b in zip(location, box, strict=True))
    return alpha / 2 * weight(box, emphasis) * distance


def log_sigmoid(logit: float) -> float:
    return -log1p(exp(-float(logit)))


def total(locations, logits, objects, rows, alpha: float, emphasis: float) -> tuple[float, float]:
    """F_match and F_conf when object j is given to prediction rows[j]."""
    place = sum(match(locations[row], objects[j], alpha, emphasis) for j, row in enumerate(rows))
    used = set(rows)
    confidence = sum(-log_sigmoid(c if i in used else -c) for i, c in enumerate(logits))
    return place, confidence


def best(locations, logits, objects, alpha: float, emphasis: float = 0.0) -> tuple[int, ...]:
    """The predictions of the objects, by trying all."""
    choices = permutations(range(len(locations)), len(objects))
    return min(choices, key=lambda rows: sum(total(locations, logits, objects, rows, alpha, emphasis)))


def output(*images: tuple[np.ndarray, np.ndarray, np.ndarray]) -> MultiBoxOutput:
    locations, logits = (torch.from_numpy(np.stack([image[part] for image in images])) for part in (0, 1))
    return MultiBoxOutput(locations.requires_grad_(), logits.requires_grad_())


@pytest.mark.parametrize("emphasis", [0.0, 1.0])
@pytest.mark.parametrize("alpha", [ALPHA, 30.0])
def test_the_assignment_is_the_best_of_all(alpha, emphasis) -> None:
    for seed in range(25):
        locations, logits, objects = drawn(5, 1 + seed % 4, seed)
        rows, columns = assign(locations, logits, objects, alpha, emphasis)
        chosen = dict(zip(columns.tolist(), rows.tolist(), strict=True))
        assert tuple(chosen[j] for j in range(len(objects))) == best(locations, logits, objects, alpha, emphasis)


def test_near_predictions_are_chosen_by_distance_and_equal_ones_by_confidence() -> None:
    place = np.array([(0.1, 0.1, 0.3, 0.3), (0.1, 0.1, 0.3, 0.3), (0.6, 0.6, 0.9, 0.9)], np.float32)
    objects = np.array([(0.6, 0.6, 0.88, 0.9), (0.1, 0.12, 0.3, 0.3)], np.float32)
    rows, columns = assign(place, np.array([-1, 1, -3], np.float32), objects, 1000.0)
    assert sorted(zip(columns.tolist(), rows.tolist(), strict=True)) == [(0, 2), (1, 1)]
    # Where distance weighs nothing only confidence counts.
    rows, _ = assign(place, np.array([5, 1, -3], np.float32), objects, 1e-9)
    assert sorted(rows.tolist()) == [0, 1]


def test_emphasis_prefers_to_be_exact_for_the_small_object() -> None:
    # One prediction lies between a small object and a large one, at equal distances; the other is far from both.
    objects = np.array([(0.5, 0.4, 0.56, 0.46), (0.0, 0.0, 1.0, 1.0)], np.float32)
    far = np.array([(0.9, 0.9, 0.0, 0.0)], np.float32)
    locations = np.concatenate([objects.mean(axis=0, keepdims=True), far])
    logits = np.zeros(2, np.float32)
    small, large = (np.square(far - each).sum() for each in objects)
    assert small < large  # so by distance alone the far one takes the small object
    rows, columns = assign(locations, logits, objects, 1.0, 0.0)
    assert dict(zip(columns.tolist(), rows.tolist(), strict=True)) == {0: 1, 1: 0}
    rows, columns = assign(locations, logits, objects, 1.0, 1.0)
    assert dict(zip(columns.tolist(), rows.tolist(), strict=True)) == {0: 0, 1: 1}


def test_of_more_objects_than_predictions_the_cheapest_are_learned() -> None:
    locations, logits, objects = drawn(2, 5, 3)
    rows, columns = assign(locations, logits, objects, 10.0)
    assert sorted(rows.tolist()) == [0, 1]
    pairs = {j: i for i, j in zip(rows.tolist(), columns.tolist(), strict=True)}
    costs = {
        both: match(locations[0], objects[both[0]], 10.0, 0) + match(locations[1], objects[both[1]], 10.0, 0)
        for both in permutations(range(5), 2)
    }
    first, second = min(costs, key=lambda both: costs[both])
    assert pairs == {first: 0, second: 1}
    losses = multibox_loss(output((locations, logits, objects)), [objects], 10.0)
    assert float(losses["location"].detach()) == pytest.approx(costs[first, second], rel=1e-5)


def test_no_objects() -> None:
    locations, logits, objects = drawn(4, 0)
    rows, columns = assign(locations, logits, objects, ALPHA)
    assert (rows.shape, columns.shape, rows.dtype) == ((0,), (0,), np.int64)
    result = output((locations, logits, objects))
    losses = multibox_loss(result, [objects], ALPHA)
    assert float(losses["location"].detach()) == 0
    assert float(losses["confidence"].detach()) == pytest.approx(-sum(log_sigmoid(-c) for c in logits), rel=1e-5)
    sum(losses.values()).backward()
    assert not result.locations.grad.any()
    assert (result.logits.grad > 0).all()  # all learn silence


@pytest.mark.parametrize(("alpha", "emphasis"), [(ALPHA, 0.0), (150.0, 1.0), (5.0, 2.0)])
def test_the_losses_are_the_formulas_summed_over_images(alpha, emphasis) -> None:
    images = [drawn(5, count, seed) for seed, count in enumerate((2, 0, 4, 1))]
    losses = multibox_loss(output(*images), [image[2] for image in images], alpha, emphasis)
    parts = [total(*image, best(*image, alpha, emphasis), alpha, emphasis) for image in images]
    assert float(losses["location"].detach()) == pytest.approx(sum(part[0] for part in parts), rel=1e-5)
    assert float(losses["confidence"].detach()) == pytest.approx(sum(part[1] for part in parts), rel=1e-5)
    assert set(losses) == {"location", "confidence"}


def test_the_papers_equation_by_hand() -> None:
    """F = alpha/2 |l - g|^2 - log c - log(1 - c') with one object, given to the first of two predictions."""
    locations = np.array([(0.2, 0.2, 0.6, 0.6), (0.0, 0.0, 0.1, 0.1)], np.float32)
    objects = np.array([(0.3, 0.2, 0.6, 0.8)], np.float32)
    logits = np.log(np.array([0.8 / 0.2, 0.25 / 0.75])).astype(np.float32)
    losses = multibox_loss(output((locations, logits, objects)), [objects], ALPHA)
    assert float(losses["location"].detach()) == pytest.approx(0.15 * (0.01 + 0.04), rel=1e-4)
    assert float(losses["confidence"].detach()) == pytest.approx(-np.log(0.8) - np.log(0.75), rel=1e-5)


def test_no_other_assignment_has_a_smaller_loss() -> None:
    locations, logits, objects = drawn(5, 3, 7)
    loss = float(sum(multibox_loss(output((locations, logits, objects)), [objects], 2.0).values()).detach())
    every = [sum(total(locations, logits, objects, rows, 2.0, 0.0)) for rows in permutations(range(5), 3)]
    assert loss == pytest.approx(min(every), rel=1e-5)
    assert sorted(every)[1] > min(every)


def test_only_assigned_predictions_learn_a_place_and_all_learn_confidence() -> None:
    locations, logits, objects = drawn(6, 2, 1)
    result = output((locations, logits, objects))
    sum(multibox_loss(result, [objects], 20.0, 1.0).values()).backward()
    rows = best(locations, logits, objects, 20.0, 1.0)
    expected = np.zeros((6, 4))
    for j, row in enumerate(rows):
        expected[row] = 20.0 * weight(objects[j], 1.0) * (locations[row] - objects[j])
    np.testing.assert_allclose(result.locations.grad[0], expected, rtol=1e-4, atol=1e-6)
    confidences = 1 / (1 + np.exp(-logits.astype(np.float64)))
    truth = np.isin(np.arange(6), rows)
    np.testing.assert_allclose(result.logits.grad[0], confidences - truth, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_outputs_in_lower_precision_have_nearly_the_same_loss(kind) -> None:
    image = drawn(5, 3, 2)
    whole = output(image)
    lower = MultiBoxOutput(whole.locations.detach().to(kind), whole.logits.detach().to(kind))
    expected = multibox_loss(whole, [image[2]], ALPHA)
    for name, value in multibox_loss(lower, [image[2]], ALPHA).items():
        assert float(value) == pytest.approx(float(expected[name].detach()), rel=0.05)
