"""A head added to a detector, and the same head as the last stage of its training: nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hostile import photo
from safetensors.torch import load_file
from stub_parts import FixedProposer
from tiny_multibox import SIZE, write_pictures
from tiny_screen import ColourTrunk, random_boxes
from tiny_voc import truth

from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.training import TrainSettings
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import DataError, ModelError, UsageError
from googlenet_rcnn.core.types import Dataset, LabelSet
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe, FineTuning
from googlenet_rcnn.detector.screen_run import ScreenRun, ScreenRunRecipe
from googlenet_rcnn.detector.screen_training import ScreenRecipe
from googlenet_rcnn.detector.screening import Screen, ScreenHeadSettings
from googlenet_rcnn.detector.targets import OverlapTargets

pytestmark = pytest.mark.usefixtures("one_thread")

STEP = TrainSettings(epochs=1.0, batch=2, rate=0.01, average=0.9)
SCREEN = ScreenRecipe(head=ScreenHeadSettings(side=64, channels=4, hidden=4, grid=2), boxes=8, train=STEP)
RECIPE = ScreenRunRecipe(screen=SCREEN)
PROPOSER = FixedProposer(((10, 10, 48, 50), (50, 0, 80, 20), (0, 30, 30, 60)))


def write_detector(path, arch="googlenet", seed=1, **changes):
    """A detector that has learnt nothing, with figures and ranges in its Card."""
    torch.manual_seed(seed)
    card = Card(
        arch=arch, task="detector", labels=("cat",), warp_side=64, box_regression=True,
        recipe={"seed": 5, "head": {"batch": 3}}, data="elsewhere", metrics={"map": 0.5}, ranges={"conv1": 2.0},
    ).model_copy(update=changes)  # fmt: skip
    save_weights(path, build_network(card).state_dict(), card, half=True)
    return path


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """The data set and a run to be."""
    folder = tmp_path_factory.mktemp("run")
    weights = write_detector(folder / "given.safetensors")
    run = ScreenRun(
        RECIPE, weights, folder / "out", folder / "cache", PROPOSER, Processes(),
        say=lambda text: None, report=lambda progress: None,
    )  # fmt: skip
    return write_pictures(folder / "pictures"), run


@pytest.fixture(scope="module")
def finished(setting):
    """Path of the detector with its head."""
    dataset, run = setting
    return run.run(dataset, "tiny", resume=False)


def test_the_detector_is_untouched_and_has_a_head_in_half_precision(setting, finished) -> None:
    before, after = load_file(setting[1].weights), load_file(finished)
    assert finished == setting[1].out / "detector.safetensors"
    assert all(torch.equal(after[name], before[name]) for name in before)
    added = after.keys() - before.keys()
    assert all(name.startswith("screen.") for name in added)
    assert {after[name].dtype for name in added} == {torch.float16}
    assert len(added) == 10


def test_the_card_tells_of_the_head_and_keeps_all_else(setting, finished) -> None:
    before, after = read_card(setting[1].weights), read_card(finished)
    assert after.screen["head"] == SCREEN.head.model_dump(mode="json")
    assert after.screen["data"] == "tiny"
    assert after.screen["cascade"].keys() == {"doubt", "overlap", "limit", "trust"}
    learned = after.recipe["screen"]
    assert (learned["boxes"], learned["train"]["batch"], learned["seed"]) == (8, 2, 0)
    assert learned["proposals"] == RECIPE.proposals.model_dump()
    assert learned["targets"] == RECIPE.targets.model_dump()
    rest = {name: value for name, value in after.recipe.items() if name != "screen"}
    assert after.model_copy(update={"screen": None, "recipe": rest}) == before


def test_the_file_screens_and_is_still_a_network(finished) -> None:
    network, card = load_network(finished)
    assert [name for name in network.state_dict() if name.startswith("screen")] == []
    arrays = {name: tensor.float().numpy() for name, tensor in load_file(finished).items()}
    found = Screen.of(card, arrays, ColourTrunk(), "x").probabilities(photo(), random_boxes(5, size=SIZE))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_a_head_that_is_there_is_replaced(setting, finished, tmp_path) -> None:
    dataset, run = setting
    other = SCREEN.model_copy(update={"head": SCREEN.head.model_copy(update={"channels": 6})})
    run = replace(run, recipe=RECIPE.model_copy(update={"screen": other}), weights=finished, out=tmp_path)
    before, after = load_file(finished), load_file(run.run(dataset, "more", resume=False))
    assert before.keys() == after.keys()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        name for name in before if name.startswith("screen.")
    }
    assert after["screen.reduction.weight"].shape == (6, 832)
    card = read_card(tmp_path / "detector.safetensors")
    assert (card.screen["head"]["channels"], card.screen["data"], card.data) == (6, "more", "elsewhere")


@pytest.mark.parametrize("arch", ["googlenet", pytest.param("googlenet-bn", marks=pytest.mark.slow)])
def test_fine_tuning_ends_with_the_same_head(setting, tmp_path, arch) -> None:
    dataset, run = setting
    weights = write_detector(tmp_path / "given.safetensors", arch)
    alone = replace(run, weights=weights, out=tmp_path / "alone").run(dataset, "tiny", resume=False)
    nothing = STEP.model_copy(update={"epochs": 0.0})
    steps = []
    tuning = FineTuning(
        DetectorRecipe(head=nothing, network=nothing, screen=SCREEN), weights, tmp_path / "tuned", run.cache, PROPOSER,
        Processes(), say=lambda text: None, report=lambda stage, progress: steps.append((stage, progress.step)),
    )  # fmt: skip
    tuned = tuning.run(dataset, "tiny", resume=False)
    assert steps == [("screen", 1), ("screen", 2)]
    assert load_file(tuned).keys() == load_file(alone).keys()
    assert all(torch.equal(tensor, load_file(alone)[name]) for name, tensor in load_file(tuned).items())
    assert read_card(tuned).screen == read_card(alone).screen
    assert read_card(tuned).recipe == tuning.recipe.model_dump(mode="json")
    changed = replace(tuning, recipe=tuning.recipe.model_copy(update={"screen": SCREEN.model_copy(update=BOXES)}))
    with pytest.raises(UsageError, match="screen"):
        changed.run(dataset, "tiny", resume=True)
    freely = SCREEN.model_copy(update={"train": STEP.model_copy(update={"checkpoint_minutes": 1.0})})
    replace(tuning, recipe=tuning.recipe.model_copy(update={"screen": freely})).run(dataset, "tiny", resume=True)
    assert len(steps) == 2
    assert all(torch.equal(tensor, load_file(alone)[name]) for name, tensor in load_file(tuned).items())


BOXES = {"boxes": 9}


def test_resuming_a_finished_run_changes_nothing(setting, finished) -> None:
    dataset, run = setting
    before, steps = finished.read_bytes(), []
    replace(run, report=steps.append).run(dataset, "tiny", resume=True)
    assert (finished.read_bytes(), steps) == (before, [])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("seed", {"seed": 1}),
        ("targets", {"targets": OverlapTargets(background=0.5, object=0.5)}),
        ("screen", {"screen": SCREEN.model_copy(update=BOXES)}),
        ("screen", {"screen": SCREEN.model_copy(update={"head": SCREEN.head.model_copy(update={"context": 1.0})})}),
        ("rate", {"screen": SCREEN.model_copy(update={"train": STEP.model_copy(update={"rate": 0.02})})}),
    ],
)
def test_resuming_with_other_settings_is_refused(setting, finished, name, change) -> None:
    dataset, run = setting
    before = finished.read_bytes()
    with pytest.raises(UsageError, match=name) as caught:
        replace(run, recipe=RECIPE.model_copy(update=change)).run(dataset, "tiny", resume=True)
    assert caught.value.code == "RESUME_DIFFERS"
    assert finished.read_bytes() == before


def test_resuming_for_another_detector_is_refused(setting, finished, tmp_path) -> None:
    dataset, run = setting
    other = write_detector(tmp_path / "other.safetensors", seed=2)
    with pytest.raises(UsageError, match="weights"):
        replace(run, weights=other).run(dataset, "tiny", resume=True)


def test_a_recipe_without_epochs_is_refused() -> None:
    with pytest.raises(ValueError, match="epochs"):
        ScreenRunRecipe(screen=SCREEN.model_copy(update={"train": STEP.model_copy(update={"epochs": 0.0})}))


def test_a_classifier_has_nothing_to_screen(setting, tmp_path) -> None:
    dataset, run = setting
    weights = write_detector(tmp_path / "x.safetensors", task="classifier", box_regression=False)
    with pytest.raises(ModelError, match="not a detector") as caught:
        replace(run, weights=weights, out=tmp_path / "out").run(dataset, "tiny", resume=False)
    assert caught.value.code == "MODEL_TASK"
    assert not (tmp_path / "out").exists()


def test_data_with_other_labels_or_without_objects_is_refused(setting, tmp_path) -> None:
    dataset, run = setting
    run = replace(run, out=tmp_path / "out")
    for data, code in (
        (Dataset(LabelSet(("dog",)), dataset.samples), "LABELS_DIFFER"),
        (Dataset(dataset.labels, tuple(replace(one, truth=truth([], SIZE)) for one in dataset.samples)), "NO_OBJECTS"),
        (Dataset(dataset.labels, tuple(replace(one, truth=None) for one in dataset.samples)), "NO_OBJECTS"),
    ):
        with pytest.raises(DataError, match="tiny") as caught:
            run.run(data, "tiny", resume=False)
        assert caught.value.code == code
    assert not (tmp_path / "out").exists()
