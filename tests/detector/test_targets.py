"""What a window counts for: R-CNN's hard rule, the soft one, and their loss against torch's cross-entropy."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.recipe import load_recipe
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe
from googlenet_rcnn.detector.targets import OverlapTargets, Target, overlap_loss

OVERLAPS = np.linspace(0, 1, 1001)
RULES = [(0.0, 1.0), (0.3, 0.7), (0.0, 0.5), (0.5, 1.0), (0.5, 0.51)]
SOFT, HARD = OverlapTargets(background=0.3, object=0.7), OverlapTargets(background=0.5, object=0.5)


def rule(background: float, object_: float) -> OverlapTargets:
    return OverlapTargets(background=background, object=object_)


def shares(targets: OverlapTargets, overlaps=OVERLAPS) -> np.ndarray:
    return np.array([targets.target(1, float(overlap)).share for overlap in overlaps])


def batch(seed: int, count: int = 40, classes: int = 5) -> tuple[torch.Tensor, list[int], list[float]]:
    """Logits, labels and overlaps of made-up windows; those of label 0 touch nothing."""
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(scale=3, size=(count, 1 + classes)).astype(np.float32))
    labels = random.integers(0, 1 + classes, count)
    overlaps = np.where(labels > 0, random.random(count), 0)
    return logits, labels.tolist(), overlaps.tolist()


def probabilities(targets: list[Target], columns: int) -> torch.Tensor:
    """Rows of background and classes that sum to 1."""
    rows = torch.zeros(len(targets), columns)
    for row, (label, share) in zip(rows, targets, strict=True):
        row[0] += 1 - share
        row[label] += share
    return rows


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.7, 1.0])
def test_equal_values_are_the_hard_rule(threshold) -> None:
    overlaps = [*OVERLAPS.tolist(), threshold, np.nextafter(threshold, 0)]
    found = [rule(threshold, threshold).target(3, overlap) for overlap in overlaps]
    assert found == [(3, 1.0 if overlap >= threshold else 0.0) for overlap in overlaps]


def test_the_default_shares_grow_from_three_tenths_to_seven() -> None:
    assert OverlapTargets() == DetectorRecipe().targets == rule(0.3, 0.7)


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_of_the_hard_rule_is_torchs_cross_entropy_with_labels(seed) -> None:
    logits, labels, overlaps = batch(seed)
    hard = [label if overlap >= 0.5 else 0 for label, overlap in zip(labels, overlaps, strict=True)]
    assert hard != labels
    found = overlap_loss(logits, list(map(HARD.target, labels, overlaps)))
    torch.testing.assert_close(found, functional.cross_entropy(logits, torch.tensor(hard), reduction="sum"))


@pytest.mark.parametrize(("background", "object_"), RULES)
def test_a_share_runs_straight_from_nothing_to_all(background, object_) -> None:
    found = shares(rule(background, object_))
    np.testing.assert_allclose(found, np.interp(OVERLAPS, [background, object_], [0, 1]), atol=1e-12)
    assert set(found[background >= OVERLAPS]) == {0}
    assert set(found[object_ <= OVERLAPS]) == {1}
    assert shares(rule(background, object_), [background, object_]).tolist() == [0, 1]


@pytest.mark.parametrize(("background", "object_"), RULES)
def test_a_share_never_falls_or_leaps(background, object_) -> None:
    ends = [np.nextafter(end, side) for end in (background, object_) for side in (0, 1)]
    steps = np.sort([*OVERLAPS, *ends])
    rises = np.diff(shares(rule(background, object_), steps))
    assert (rises >= 0).all()
    assert (rises <= np.diff(steps) / (object_ - background) + 1e-12).all()


def test_a_target_names_the_object_whatever_its_share() -> None:
    for overlap in (0.1, 0.5, 0.9):
        assert [SOFT.target(label, overlap).label for label in range(1, 6)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("targets", [HARD, SOFT, rule(0.0, 1.0)], ids=["hard", "soft", "all the way"])
def test_a_window_that_touches_nothing_is_background(targets) -> None:
    assert targets.target(0, 0.0).share == 0
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    expected = functional.cross_entropy(logits, torch.tensor([0]))
    torch.testing.assert_close(overlap_loss(logits, [targets.target(0, 0.0)]), expected)


@pytest.mark.parametrize("scale", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_are_torchs_with_probabilities(seed, scale) -> None:
    logits, labels, overlaps = batch(seed)
    targets = list(map(SOFT.target, labels, overlaps))
    assert len({target.share for target in targets}) > 5
    ours, theirs = ((logits * scale).requires_grad_() for _ in range(2))
    loss = overlap_loss(ours, targets)
    expected = functional.cross_entropy(theirs, probabilities(targets, logits.shape[1]), reduction="sum")
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_nothing_pulls_at_a_softmax_that_says_the_shares() -> None:
    targets = [Target(1, 0.25), Target(3, 0.5), Target(2, 0.9)]
    wanted = 0.999 * probabilities(targets, 4) + 0.001 / 4
    logits = wanted.log().requires_grad_()
    overlap_loss(logits, targets).backward()
    assert float(logits.grad.abs().max()) < 0.001
    # A tighter box asks for a higher score of its class.
    less, more = (torch.zeros(1, 4, requires_grad=True) for _ in range(2))
    for row, overlap in ((less, 0.5), (more, 0.6)):
        overlap_loss(row, [SOFT.target(1, overlap)]).backward()
    assert float(more.grad[0, 1]) < float(less.grad[0, 1])


def test_half_precision_is_summed_in_single() -> None:
    logits, labels, overlaps = batch(0)
    targets = list(map(SOFT.target, labels, overlaps))
    loss = overlap_loss(logits.half(), targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, overlap_loss(logits.half().float(), targets))


@pytest.mark.parametrize(("background", "object_"), [(0.6, 0.5), (1.0, 0.999)])
def test_background_above_object_is_refused(background, object_) -> None:
    with pytest.raises(ValidationError, match="background must not exceed object"):
        rule(background, object_)
    assignments = [f"targets.background={background}", f"targets.object={object_}"]
    with pytest.raises(UsageError, match=r"targets: .*background must not exceed object") as caught:
        load_recipe(DetectorRecipe, None, assignments)
    assert caught.value.code == "RECIPE_VALUE"


@pytest.mark.parametrize(("key", "value"), [("object", 0.0), ("object", 1.1), ("background", -0.1)])
def test_values_that_are_no_overlap_are_refused(key, value) -> None:
    with pytest.raises(UsageError, match=rf"targets\.{key}: ") as caught:
        load_recipe(DetectorRecipe, None, ["targets.background=0.0", f"targets.{key}={value}"])
    assert caught.value.code == "RECIPE_VALUE"


def test_a_recipe_sets_the_rule() -> None:
    assert load_recipe(DetectorRecipe, None, ["targets.background=0.3", "targets.object=0.7"]).targets == SOFT
