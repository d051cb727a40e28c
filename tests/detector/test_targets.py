"""What a window counts for, by R-CNN's hard rule and the soft one, and the losses against torch's own."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.recipe import load_recipe
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe
from googlenet_rcnn.detector.targets import OverlapTargets, Targets, overlap_loss, regression_loss

OVERLAPS = np.linspace(0, 1, 1001)
RULES = [(0.0, 1.0), (0.3, 0.7), (0.0, 0.5), (0.5, 1.0), (0.5, 0.51)]
SOFT, HARD = OverlapTargets(background=0.3, object=0.7), OverlapTargets(background=0.5, object=0.5)


def rule(background: float, object_: float) -> OverlapTargets:
    return OverlapTargets(background=background, object=object_)


def target(targets: OverlapTargets, labels, overlaps, offsets=None) -> Targets:
    """Targets of windows given as lists; without offsets each lies on its object."""
    moves = np.zeros((len(labels), 4), np.float32) if offsets is None else offsets
    return targets.targets(np.array(labels, np.int64), np.array(overlaps, np.float64), moves)


def shares(targets: OverlapTargets, overlaps=OVERLAPS) -> np.ndarray:
    return target(targets, [1] * len(overlaps), overlaps).shares.numpy()


def batch(seed: int, count: int = 40, classes: int = 5) -> tuple[torch.Tensor, list[int], list[float]]:
    """Logits, labels and overlaps of made-up windows; those of label 0 touch nothing."""
    random = np.random.default_rng(seed)
    logits = torch.from_numpy(random.normal(scale=3, size=(count, 1 + classes)).astype(np.float32))
    labels = random.integers(0, 1 + classes, count)
    overlaps = np.where(labels > 0, random.random(count), 0)
    return logits, labels.tolist(), overlaps.tolist()


def probabilities(targets: Targets, columns: int) -> torch.Tensor:
    """Rows of background and classes that sum to 1."""
    rows = torch.zeros(len(targets.labels), columns)
    for row, label, share in zip(rows, targets.labels.tolist(), targets.shares, strict=True):
        row[0] += 1 - share
        row[label] += share
    return rows


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.7, 1.0])
def test_equal_values_are_the_hard_rule(threshold) -> None:
    overlaps = [*OVERLAPS.tolist(), threshold, np.nextafter(threshold, 0)]
    found = target(rule(threshold, threshold), [3] * len(overlaps), overlaps)
    assert found.labels.tolist() == [3] * len(overlaps)
    assert found.shares.tolist() == [1.0 if overlap >= threshold else 0.0 for overlap in overlaps]


def test_the_default_shares_grow_from_three_tenths_to_seven() -> None:
    assert OverlapTargets() == DetectorRecipe().targets == rule(0.3, 0.7)


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_of_the_hard_rule_is_torchs_cross_entropy_with_labels(seed) -> None:
    logits, labels, overlaps = batch(seed)
    hard = [label if overlap >= 0.5 else 0 for label, overlap in zip(labels, overlaps, strict=True)]
    assert hard != labels
    found = overlap_loss(logits, target(HARD, labels, overlaps))
    torch.testing.assert_close(found, functional.cross_entropy(logits, torch.tensor(hard), reduction="sum"))


@pytest.mark.parametrize(("background", "object_"), RULES)
def test_a_share_runs_straight_from_nothing_to_all(background, object_) -> None:
    found = shares(rule(background, object_))
    np.testing.assert_allclose(found, np.interp(OVERLAPS, [background, object_], [0, 1]), atol=1e-7)
    assert set(found[background >= OVERLAPS]) == {0}
    assert set(found[object_ <= OVERLAPS]) == {1}
    assert shares(rule(background, object_), [background, object_]).tolist() == [0, 1]


@pytest.mark.parametrize(("background", "object_"), RULES)
def test_a_share_never_falls_or_leaps(background, object_) -> None:
    ends = [np.nextafter(end, side) for end in (background, object_) for side in (0, 1)]
    steps = np.sort([*OVERLAPS, *ends])
    rises = np.diff(shares(rule(background, object_), steps))
    assert (rises >= 0).all()
    assert (rises <= np.diff(steps) / (object_ - background) + 1e-7).all()


def test_a_target_names_the_object_whatever_its_share() -> None:
    for overlap in (0.1, 0.5, 0.9):
        assert target(SOFT, range(1, 6), [overlap] * 5).labels.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("targets", [HARD, SOFT, rule(0.0, 1.0)], ids=["hard", "soft", "all the way"])
def test_a_window_that_touches_nothing_is_background(targets) -> None:
    nothing = target(targets, [0], [0.0])
    assert (nothing.shares.tolist(), nothing.regressed.tolist()) == ([0], [False])
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    expected = functional.cross_entropy(logits, torch.tensor([0]))
    torch.testing.assert_close(overlap_loss(logits, nothing), expected)


@pytest.mark.parametrize("scale", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_are_torchs_with_probabilities(seed, scale) -> None:
    logits, labels, overlaps = batch(seed)
    targets = target(SOFT, labels, overlaps)
    assert len(targets.shares.unique()) > 5
    ours, theirs = ((logits * scale).requires_grad_() for _ in range(2))
    loss = overlap_loss(ours, targets)
    expected = functional.cross_entropy(theirs, probabilities(targets, logits.shape[1]), reduction="sum")
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_nothing_pulls_at_a_softmax_that_says_the_shares() -> None:
    targets = target(rule(0.0, 1.0), [1, 3, 2], [0.25, 0.5, 0.9])
    wanted = 0.999 * probabilities(targets, 4) + 0.001 / 4
    logits = wanted.log().requires_grad_()
    overlap_loss(logits, targets).backward()
    assert float(logits.grad.abs().max()) < 0.001
    # A tighter box asks for a higher score of its class.
    less, more = (torch.zeros(1, 4, requires_grad=True) for _ in range(2))
    for row, overlap in ((less, 0.5), (more, 0.6)):
        overlap_loss(row, target(SOFT, [1], [overlap])).backward()
    assert float(more.grad[0, 1]) < float(less.grad[0, 1])


def test_half_precision_is_summed_in_single() -> None:
    logits, labels, overlaps = batch(0)
    targets = target(SOFT, labels, overlaps)
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


@pytest.mark.parametrize(
    ("key", "value"),
    [("object", 0.0), ("object", 1.1), ("background", -0.1), ("regression", 0.0), ("regression", 1.1)],
)
def test_values_that_are_no_overlap_are_refused(key, value) -> None:
    with pytest.raises(UsageError, match=rf"targets\.{key}: ") as caught:
        load_recipe(DetectorRecipe, None, ["targets.background=0.0", f"targets.{key}={value}"])
    assert caught.value.code == "RECIPE_VALUE"


def test_a_recipe_sets_the_rule() -> None:
    assert load_recipe(DetectorRecipe, None, ["targets.background=0.3", "targets.object=0.7"]).targets == SOFT


def moves(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=2, size=(count, 4)).astype(np.float32)


@pytest.mark.parametrize("regression", [0.3, 0.5, 1.0])
@pytest.mark.parametrize(("background", "object_"), RULES)
def test_windows_that_see_enough_of_an_object_learn_where_it_is(background, object_, regression) -> None:
    targets = OverlapTargets(background=background, object=object_, regression=regression)
    overlaps = [*OVERLAPS, regression, np.nextafter(regression, 0)]
    assert target(targets, [2] * len(overlaps), overlaps).regressed.tolist() == [o >= regression for o in overlaps]
    # One that touches a difficult object most has overlap without label.
    assert not target(targets, [0] * len(overlaps), overlaps).regressed.any()


def test_targets_are_columns_of_known_types() -> None:
    offsets = moves(0, 3)
    found = target(SOFT, [1, 0, 2], [0.9, 0.0, 0.4], offsets[:, ::-1])  # as it comes: not contiguous
    assert [part.dtype for part in found] == [torch.int64, torch.float32, torch.float32, torch.bool]
    assert np.array_equal(found.offsets.numpy(), offsets[:, ::-1])
    assert found.regressed.tolist() == [True, False, False]
    assert all(torch.equal(*pair) for pair in zip(found.to(torch.device("cpu")), found, strict=True))
    elsewhere = found.to(torch.device("meta"))
    assert {part.device.type for part in elsewhere} == {"meta"}


def regression_case(seed: int, count: int = 40, classes: int = 5) -> tuple[torch.Tensor, Targets]:
    _, labels, overlaps = batch(seed, count, classes)
    answers = torch.from_numpy(moves(seed, count * classes).reshape(count, 4 * classes))
    return answers, target(SOFT, labels, overlaps, moves(seed + 100, count))


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_of_boxes_is_torchs_smooth_l1_on_the_own_class_alone(seed) -> None:
    answers, targets = regression_case(seed, 200)
    answers.requires_grad_()
    loss = regression_loss(answers, targets)
    loss.backward()
    expected, pulled = 0.0, torch.zeros_like(answers)
    for row, (label, _, offsets, regressed) in enumerate(zip(*targets, strict=True)):
        if not regressed:
            continue
        first = 4 * (int(label) - 1)
        own = answers[row, first : first + 4].detach().clone().requires_grad_()
        one = functional.smooth_l1_loss(own, offsets, reduction="sum")
        one.backward()
        expected += one.item()
        pulled[row, first : first + 4] = own.grad
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(answers.grad, pulled)
    # Every class learns, and every window of one class leaves the four others alone.
    assert (pulled.view(-1, 5, 4).abs().sum(dim=(0, 2)) > 0).all()
    assert int((pulled != 0).any(dim=1).sum()) == int(targets.regressed.sum()) < len(pulled)


def test_windows_that_are_too_loose_or_background_have_no_loss_of_boxes() -> None:
    answers, _ = regression_case(0, 4)
    answers.requires_grad_()
    loss = regression_loss(answers, target(SOFT, [0, 1, 5, 3], [0, 0.1, 0.499, 0.3], moves(1, 4)))
    loss.backward()
    assert loss == 0
    assert not answers.grad.any()


def test_right_answers_have_no_loss_of_boxes_whatever_the_other_classes_say() -> None:
    answers, offsets = torch.from_numpy(moves(1, 20).reshape(1, 80)), moves(2, 1)
    answers[0, 4 * 6 : 4 * 7] = torch.from_numpy(offsets[0])
    assert regression_loss(answers, target(SOFT, [7], [0.5], offsets)) == 0
    assert regression_loss(answers, target(SOFT, [6], [0.5], offsets)) > 0


def test_the_loss_of_boxes_is_the_sum_over_windows_in_single_precision() -> None:
    answers, targets = regression_case(2)
    parts = [Targets(*(part[rows] for part in targets)) for rows in (slice(0, 7), slice(7, None))]
    split = regression_loss(answers[:7], parts[0]) + regression_loss(answers[7:], parts[1])
    torch.testing.assert_close(regression_loss(answers, targets), split)
    half = regression_loss(answers.half(), targets)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, regression_loss(answers.half().float(), targets))
