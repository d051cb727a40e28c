"""The recipes that come with the project say what they mean to."""

from pathlib import Path

import pytest

from googlenet_rcnn.backbone.classifier_training import ClassifierRecipe
from googlenet_rcnn.core.recipe import load_recipe
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe

FOLDER = Path(__file__).parents[2] / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_read_and_departs_from_the_defaults(path) -> None:
    kind = ClassifierRecipe if path.stem.endswith("_cls") else DetectorRecipe
    assert load_recipe(kind, path) != kind()


def test_the_papers_task_by_the_papers_rules() -> None:
    recipe = load_recipe(DetectorRecipe, FOLDER / "ilsvrc14_det.toml")
    # Szegedy 2014, section 8: superpixels doubled, 200 boxes of MultiBox, no box regression, every box scored.
    assert (recipe.proposals.method, recipe.proposals.superpixel_scale) == ("multibox+ss", 2.0)
    assert (recipe.proposals.multibox_k, recipe.box_regression, recipe.screen.train.epochs) == (200, False, 0)
    # R-CNN, sections 2.3 and 4.2: from 0.5 up an object, 1,000 objects of a class from train, 16 pixels around.
    assert (recipe.targets.background, recipe.targets.object, recipe.windows.positive_overlap) == (0.5, 0.5, 0.5)
    assert (recipe.partial_objects, recipe.context) == (1000, 16)


def test_its_windows_are_as_many_as_r_cnn_saw() -> None:
    recipe = load_recipe(DetectorRecipe, FOLDER / "ilsvrc14_det.toml")
    images, objects = 9_887 + 60_658, 9_887 * 55_502 / 20_121 + 132_953  # val1, and train of 2014
    drawn = recipe.windows.positives + recipe.windows.hard + recipe.windows.background
    windows = images * drawn + objects + 200 * recipe.partial_objects
    assert recipe.network.epochs * windows == pytest.approx(50_000 * 128, rel=0.02)
    share = (images * recipe.windows.positives + objects + 200 * recipe.partial_objects) / windows
    assert 0.25 < share < 0.35


def test_the_papers_classifier_by_the_papers_rules() -> None:
    recipe = load_recipe(ClassifierRecipe, FOLDER / "ilsvrc14_cls.toml")
    # Szegedy 2014, sections 5 and 6.
    assert (recipe.arch, recipe.heads, recipe.auxiliary, recipe.smoothing) == ("googlenet", True, 0.3, 0)
    assert (recipe.crops.area, recipe.crops.aspect) == ((0.08, 1.0), (3 / 4, 4 / 3))
    assert recipe.crops.interpolation == "random"
    assert (recipe.train.momentum, recipe.train.schedule) == (0.9, "steps")
    assert (recipe.train.decay, recipe.train.decay_epochs) == (0.96, 8.0)
    assert recipe.train.average > 0.99
