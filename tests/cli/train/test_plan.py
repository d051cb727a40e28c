import time

import known_rates
import pytest
from data_faults import code_of
from known_rates import RATES
from tiny_voc import dataset, truth

from googlenet_rcnn.cli.train.data import TrainingData
from googlenet_rcnn.cli.train.plan import parse_budget, plan_training, resumed_recipe
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.detector.budget import Work, estimate, fit_recipe
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe

RECIPE = DetectorRecipe()
IMAGES = dataset([truth([(0, (10, 10, 50, 50), False), (1, (10, 10, 50, 50), True)])] * 150)
DATA = TrainingData("mine", IMAGES, dataset([truth()] * 30))
WORK = Work(150, 150, 30)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("1h1m1s", 3661), (" 5m ", 300)]
)
def test_times_as_people_write_them(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "15 min", "30m1h", "2d", "1h 30m"])
def test_other_times_are_refused(text):
    assert code_of(lambda: parse_budget(text), f"--budget {text}", "15m") == "FLAG_VALUE"


@pytest.fixture
def plan(monkeypatch):
    """Plans with known rates; gives the recipe and what was said."""

    def make(budget=None, data=DATA, spent=0.0):
        said = []
        known_rates.install(monkeypatch.setattr)
        began = time.monotonic() - spent
        return plan_training(RECIPE, data, None, None, "cpu", said.append, budget=budget, began=began), said

    return make


def test_without_a_budget_the_recipe_stays_and_its_time_is_told(plan):
    recipe, said = plan()
    assert recipe is RECIPE
    assert said[0].startswith("150 images to propose in and 2,850 windows to train on, 30 images to validate")
    assert "44 through the frozen part, 200 training the upper layers, 11 training all" in said[0]
    # Worked by hand: 15 + 65 + 43 + 29 + 60 + 59 seconds.
    assert said[1].startswith("note: the recipe makes few passes")
    assert said[2:] == ["about 5 minutes: windows 0, activations 1, head 1, network 0, screening 1, validation 1"]
    _, said = plan(data=TrainingData("mine", dataset([truth([(0, (1, 1, 9, 9), False)])] * 2), None))
    assert said[2].startswith("about 11 seconds: windows 0, activations 1, ")
    assert said[2].endswith("validation 0")


def test_many_images_are_passed_over_often_enough(plan):
    _, said = plan(data=TrainingData("mine", dataset([IMAGES.samples[0].truth] * 4000), None))
    assert not any(line.startswith("note: ") for line in said)


def test_a_budget_changes_the_recipe_and_counts_what_is_spent(plan):
    for spent in (0.0, 200.0):
        recipe, said = plan(900, spent=spent)
        assert estimate(recipe, WORK, RATES).total <= (900 - spent) * 0.9
        fitted = fit_recipe(RECIPE, WORK, RATES, (900 - spent) * 0.9 - 1)
        assert fitted.network.epochs <= recipe.network.epochs <= fitted.network.epochs + 0.05
        assert said[1].startswith("planned for 15 min: ")
        assert f"{recipe.network.epochs:g} of the whole network" in said[1]


def test_too_little_time_names_the_least_that_is_enough(plan):
    messages = []
    with pytest.raises(ValueError, match="BUDGET_SMALL") as caught:
        plan(60)
    messages.append(caught.value.message)
    least = messages[0].split()[-1]
    assert least.endswith("m")
    recipe, _ = plan(parse_budget(least))
    assert recipe.network.epochs == 0
    with pytest.raises(ValueError, match="BUDGET_SMALL"):
        plan(parse_budget(least) - 60)


def test_a_resumed_run_keeps_its_plan(tmp_path):
    begun = fit_recipe(RECIPE, WORK, RATES, 800).model_copy(update={"seed": 5})
    (tmp_path / "out").mkdir()
    write_json(tmp_path / "out" / "recipe.json", begun.model_dump(mode="json"))

    def resumed(recipe=RECIPE, **how):
        return resumed_recipe(recipe, tmp_path / "out", **how)

    for planned in (False, True):
        assert resumed(told=False, planned=planned) == begun
    assert resumed(told=True, planned=False) is RECIPE
    assert resumed(told=True, planned=True) == begun.model_copy(update={"seed": 0})
    assert resumed(RECIPE.model_copy(update={"seed": 5}), told=True, planned=True) == begun


def test_without_a_run_that_can_be_read_the_recipe_is_the_one_told(tmp_path):
    assert resumed_recipe(RECIPE, tmp_path / "none", told=False, planned=True) is RECIPE
    (tmp_path / "recipe.json").write_text("{")
    assert resumed_recipe(RECIPE, tmp_path, told=False, planned=True) is RECIPE
