"""Laws of the planner: what fits, that more time never buys less, and that nothing left out comes back."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from googlenet_rcnn.detector.budget import Estimate, Rates, Work, estimate, fit_recipe, least_recipe
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe

RATES = Rates(propose=0.1, look=0.2, screen=0.01, frozen=44, head=200, network=11)
WORK = Work(images=150, objects=400, validation=100)
RECIPE = DetectorRecipe()

rates = st.builds(
    Rates,
    propose=st.floats(0.001, 5), look=st.floats(0.001, 5), screen=st.floats(0.0001, 0.5),
    frozen=st.floats(1, 5000), head=st.floats(1, 5000), network=st.floats(0.5, 3000),
)  # fmt: skip
works = st.builds(
    Work, images=st.integers(1, 20_000), objects=st.integers(1, 60_000), validation=st.integers(0, 5000)
)  # fmt: skip


def without(*stages):
    """The recipe without these stages."""
    recipe = RECIPE
    for stage in stages:
        if stage == "screen":
            train = recipe.screen.train.model_copy(update={"epochs": 0.0})
            recipe = recipe.model_copy(update={"screen": recipe.screen.model_copy(update={"train": train})})
        else:
            settings = getattr(recipe, stage).model_copy(update={"epochs": 0.0})
            recipe = recipe.model_copy(update={stage: settings})
    return recipe


def amounts(recipe):
    """All that a plan decides."""
    windows = recipe.windows
    return (
        windows.positives, windows.hard, windows.background, recipe.head.epochs, recipe.screen.train.epochs,
        recipe.network.epochs,
    )  # fmt: skip


def unplanned(recipe):
    """All that a plan must leave alone."""
    plan = {
        "windows": {"positives", "hard", "background"}, "head": {"epochs"}, "network": {"epochs"},
        "screen": {"train": {"epochs"}},
    }  # fmt: skip
    return recipe.model_dump(exclude=plan)


def test_an_estimate_is_the_sum_of_its_stages_worked_by_hand():
    crops = 400 + 150 * 18
    found = estimate(RECIPE, WORK, RATES)
    steps = {"head": math.ceil(3 * crops / 64), "network": math.ceil(0.1 * crops / 32), "screen": math.ceil(1800 / 16)}
    assert found == pytest.approx(
        Estimate(
            windows=15,
            activations=crops / 44,
            head=steps["head"] * 64 / 200,
            network=steps["network"] * 32 / 11,
            screening=150 * 0.3 + steps["screen"] * 16 * 0.01 + 256 / 44,
            validation=20 + 100 * (0.3 + 57 / (1.3 * 44)),
        )
    )
    assert found.total == pytest.approx(sum(found))


def test_what_is_left_out_takes_no_time():
    assert estimate(RECIPE, WORK._replace(validation=0), RATES).validation == 0
    found = estimate(without("head", "network"), WORK, RATES)
    assert (found.activations, found.head, found.network) == (0, 0, 0)
    assert estimate(without("screen"), WORK, RATES).screening == pytest.approx(256 / 44)


@given(works, rates, st.floats(1, 1e6))
def test_a_plan_fits_and_lies_between_the_least_and_the_most(work, speed, seconds):
    least = least_recipe(RECIPE, work)
    assume(estimate(least, work, speed).total <= seconds)
    plan = fit_recipe(RECIPE, work, speed, seconds)
    assert estimate(plan, work, speed).total <= seconds
    assert all(a <= b for a, b in zip(amounts(least), amounts(plan), strict=True))
    assert all(a <= b for a, b in zip(amounts(plan)[:3], amounts(RECIPE)[:3], strict=True))
    assert plan.network.epochs <= 3
    assert plan.screen.train.epochs > 0
    assert unplanned(plan) == unplanned(RECIPE)
    assert DetectorRecipe.model_validate(plan.model_dump()) == plan


@given(works, rates, st.floats(1, 1e5), st.floats(1, 3))
def test_more_time_never_buys_less(work, speed, seconds, factor):
    assume(estimate(least_recipe(RECIPE, work), work, speed).total <= seconds)
    plans = [fit_recipe(RECIPE, work, speed, time) for time in (seconds, factor * seconds)]
    assert all(a <= b for a, b in zip(*map(amounts, plans), strict=True))


@given(works, rates)
def test_less_than_the_least_is_refused_and_the_least_is_enough(work, speed):
    least = least_recipe(RECIPE, work)
    total = estimate(least, work, speed).total
    with pytest.raises(ValueError, match="shortest"):
        fit_recipe(RECIPE, work, speed, total * 0.99)
    assert estimate(fit_recipe(RECIPE, work, speed, total), work, speed).total == total  # but for what costs nothing


def test_time_goes_to_the_upper_layers_then_screening_then_windows_then_everything():
    least = math.ceil(estimate(least_recipe(RECIPE, WORK), WORK, RATES).total)
    seen = [amounts(fit_recipe(RECIPE, WORK, RATES, seconds)) for seconds in range(least, 3000, 10)]
    head, screen, network = ([plan[place] for plan in seen] for place in (3, 4, 5))
    windows = [sum(plan[:3]) for plan in seen]

    def first_rise(values):
        return next(place for place, value in enumerate(values) if value > values[0])

    def complete(values):
        return values.index(values[-1])

    for earlier, later in ((head, screen), (screen, windows), (windows, network)):
        assert complete(earlier) <= first_rise(later)
    assert (head[-1], network[-1], windows[-1]) == (10, 3, 18)


@pytest.mark.parametrize("stages", [("network",), ("screen",), ("head",), ("head", "screen")])
def test_a_stage_that_is_left_out_stays_out(stages):
    recipe = without(*stages)
    for seconds in (600, 100_000):
        plan = fit_recipe(recipe, WORK, RATES, seconds)
        left = {"head": plan.head, "network": plan.network, "screen": plan.screen.train}
        assert {stage for stage, settings in left.items() if settings.epochs == 0} == set(stages)


def test_few_images_make_more_passes_than_many():
    few, many = (fit_recipe(RECIPE, Work(count, 3 * count, 0), RATES, 1e6) for count in (50, 5000))
    assert few.head.epochs > many.head.epochs >= 1
    assert few.screen.train.epochs > many.screen.train.epochs >= 1
    assert few.screen.train.epochs * 50 / 16 >= 180
