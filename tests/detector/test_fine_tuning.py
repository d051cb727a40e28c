"""A whole training run on four small images: what it writes, and that stopping it changes no byte."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from stub_parts import FixedProposer
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.training import TrainSettings
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.store import read_json_lines
from googlenet_rcnn.core.types import LabelSet, Size
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector import fine_tuning
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe, FineTuning
from googlenet_rcnn.detector.regions import GoogLeNetRegions
from googlenet_rcnn.detector.sampling import WindowSampling
from googlenet_rcnn.detector.screen_training import ScreenRecipe
from googlenet_rcnn.detector.targets import OverlapTargets

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE, LABELS = Size(60, 80), LabelSet(("cat", "dog"))
STEP = TrainSettings(epochs=0.3, batch=4, rate=0.02, average=0.9, clip=1.0)
RECIPE = DetectorRecipe(
    windows=WindowSampling(positives=1, hard=0, background=1),
    head=STEP.model_copy(update={"epochs": 0.6}),
    network=STEP.model_copy(update={"batch": 2, "epochs": 0.15, "rate": 0.3}),
    screen=ScreenRecipe(train=STEP.model_copy(update={"epochs": 0.0})),
)


class Stopped(Exception):
    """Stands for a power cut."""


def write_devkit(root):
    xml = {f"00000{n}": annotation(thing("dog" if n % 2 else "cat", (11, 11, 50, 50)), size=SIZE) for n in range(4)}
    devkit(root, xml)
    for number, name in enumerate(xml):
        picture = Image.fromarray(np.roll(photo(*SIZE), 11 * number, axis=1))
        picture.save(root / "VOC2007" / "JPEGImages" / f"{name}.jpg", quality=95)
    return read_voc(root, "train", LABELS)


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """The data set and a run to be."""
    folder = tmp_path_factory.mktemp("tuning")
    torch.manual_seed(1)
    card = Card(labels=("a", "b", "c"), warp_side=64, licence="CC0", provenance="drawn at random")
    save_weights(folder / "init.safetensors", build_network(card).state_dict(), card)
    proposer = FixedProposer(((10, 10, 48, 50), (50, 0, 80, 20)))
    run = FineTuning(
        RECIPE, folder / "init.safetensors", folder / "out", folder / "cache", proposer, Processes(),
        say=lambda text: None, report=lambda stage, progress: None,
    )  # fmt: skip
    return write_devkit(folder / "devkit"), run


@pytest.fixture(scope="module")
def finished(setting):
    """Path of the weights, what was said, and the steps of each stage."""
    dataset, run = setting
    said, steps = [], []
    run = replace(run, say=said.append, report=lambda stage, p: steps.append((stage, p.step, p.steps)))
    return run.run(dataset, "tiny", resume=False), said, steps


def test_both_stages_take_their_steps(finished) -> None:
    _, said, steps = finished
    assert steps == [("head", 1, 2), ("head", 2, 2), ("network", 1, 1)]
    assert said == ["windows of 4 of 4 images", "activations of 4 of 4 images"]


def test_the_result_is_a_detector(setting, finished) -> None:
    path = finished[0]
    assert path == setting[1].out / "detector.safetensors"
    regions = GoogLeNetRegions.load(path, "torch", threads=1)
    assert regions.labels == LABELS
    rows, offsets = regions.score(np.zeros((1, 64, 64, 3), np.uint8))
    assert rows.shape == (1, 3)
    assert rows.sum() == pytest.approx(1)
    assert offsets.shape == (1, 2, 4)
    card = read_card(path)
    assert (card.warp_side, card.warp_context) == (64, RECIPE.context)  # crops as large as in the start
    assert card.box_regression
    assert card.recipe == RECIPE.model_dump(mode="json")
    assert (card.task, card.data, card.seed, card.licence) == ("detector", "tiny", 0, "CC0")
    assert "drawn at random" in card.provenance
    assert {"torch", "numpy", "googlenet-rcnn"} <= set(card.versions)


def test_every_layer_learned(setting, finished) -> None:
    before, after = read_tensors(setting[1].init), read_tensors(finished[0])
    assert all(tensor.dtype == torch.float16 for tensor in after.values())
    shared = [name for name in before if not name.startswith("classifier.")]
    assert set(after) == {*shared, *(f"{n}.{part}" for n in ("classifier", "regressor") for part in ("weight", "bias"))}
    assert [name for name in shared if torch.equal(before[name].half(), after[name])] == []
    assert after["classifier.weight"].shape == (3, 1024)
    assert 0.005 < float(after["classifier.weight"].float().std()) < 0.05  # begun from N(0, 0.01)
    assert float(after["classifier.bias"].abs().min()) > 0
    assert after["regressor.weight"].shape == (8, 1024)
    assert float(after["regressor.bias"].abs().min()) > 0
    assert [row["loss"].keys() for row in read_json_lines(finished[0].parent / "head" / "log.jsonl")] == [
        {"softmax", "boxes"}
    ] * 2


def test_only_the_upper_part_learns_in_stage_head(setting, finished) -> None:
    before = read_tensors(setting[1].init)
    state = read_tensors(setting[1].out / "head" / "last.safetensors")
    changed = {name for name in before if name in LAYERS and not torch.equal(before[name], state[f"module/{name}"])}
    assert changed == {name for name in LAYERS if name.startswith("inception5")}


LAYERS = [
    "conv1.0.weight", "conv2.0.bias", "inception3a.branch1.0.weight", "inception4e.branch5.0.weight",
    "inception5a.branch1.0.weight", "inception5a.branch5.0.bias", "inception5b.pool_projection.0.weight",
]  # fmt: skip


def test_layers_below_the_first_that_is_trained_stay_as_they_are(setting, tmp_path) -> None:
    dataset, run = setting
    recipe = RECIPE.model_copy(update={"frozen_below": "inception4a", "head": STEP.model_copy(update={"epochs": 0.0})})
    path = replace(run, recipe=recipe, out=tmp_path / "out").run(dataset, "tiny", resume=False)
    before, after = read_tensors(run.init), read_tensors(path)
    same = {name for name, tensor in before.items() if name in after and torch.equal(tensor.half(), after[name].half())}
    below = ("conv", "inception3")
    assert same == {name for name in before if name.startswith(below)}


def test_a_layer_that_is_not_there_is_named(setting, tmp_path) -> None:
    dataset, run = setting
    recipe = RECIPE.model_copy(update={"frozen_below": "inception9"})
    with pytest.raises(UsageError, match=r"inception9.*inception4a"):
        replace(run, recipe=recipe, out=tmp_path / "out").run(dataset, "tiny", resume=False)


def test_both_stages_learn_by_the_recipes_targets(setting, finished, tmp_path, monkeypatch) -> None:
    dataset, run = setting
    learned = []

    def look(network, task, *args, **kwargs):
        targets = task.batch([task.example(row, np.random.default_rng(0)) for row in range(len(task))]).targets
        rows = zip(targets.labels.tolist(), targets.shares.tolist(), targets.regressed.tolist(), strict=True)
        learned.append({(label, round(share, 6), regressed) for label, share, regressed in rows})
        return network.state_dict()

    monkeypatch.setattr(fine_tuning, "train", look)
    # Proposed are 0.95 of each object, and a box that touches none.
    half_way = RECIPE.model_copy(update={"targets": OverlapTargets(background=0.9, object=1.0, regression=0.96)})
    for recipe, share, regressed in ((RECIPE, 1, True), (half_way, 0.5, False)):
        learned.clear()
        replace(run, recipe=recipe, out=tmp_path / str(share)).run(dataset, "tiny", resume=False)
        expected = {(0, 0, False)} | {(n, *kind) for n in (1, 2) for kind in ((1, True), (share, regressed))}
        assert learned == [expected, expected]  # the head's, the network's


def test_resuming_a_finished_run_changes_nothing(setting, finished) -> None:
    dataset, run = setting
    before, steps = finished[0].read_bytes(), []
    path = replace(run, report=lambda *args: steps.append(args)).run(dataset, "tiny", resume=True)
    assert path.read_bytes() == before
    assert steps == []


def test_stopped_after_the_head_and_continued_gives_the_same_bytes(setting, finished, tmp_path) -> None:
    dataset, run = setting

    def stop(stage, progress) -> None:
        if stage == "network":
            raise Stopped

    run = replace(run, out=tmp_path)
    with pytest.raises(Stopped):
        replace(run, report=stop).run(dataset, "tiny", resume=False)
    assert not (tmp_path / "detector.safetensors").exists()
    steps = []
    again = replace(run, report=lambda stage, p: steps.append(stage)).run(dataset, "tiny", resume=True)
    assert steps == ["network"]
    assert again.read_bytes() == finished[0].read_bytes()


STILL = RECIPE.model_copy(update={"box_regression": False, "network": STEP.model_copy(update={"epochs": 0.0})})


@pytest.fixture(scope="module")
def still(setting, finished, tmp_path_factory):
    """Path of a detector that moves no boxes; its windows and activations are those of the one that does."""
    dataset, run = setting
    return replace(run, recipe=STILL, out=tmp_path_factory.mktemp("still")).run(dataset, "tiny", resume=False)


def test_without_box_regression_only_classes_are_learned(still) -> None:
    assert not read_card(still).box_regression
    assert [name for name in read_tensors(still) if "regressor" in name] == []
    assert [[*row["loss"]] for row in read_json_lines(still.parent / "head" / "log.jsonl")] == [["softmax"]] * 2
    assert GoogLeNetRegions.load(still, "torch", threads=1).score(np.zeros((1, 224, 224, 3), np.uint8)).offsets is None


def test_without_box_regression_a_stopped_run_goes_on_to_the_same_bytes(setting, still, tmp_path) -> None:
    dataset, run = setting

    def stop(stage, progress) -> None:
        if progress.step == 2:
            raise Stopped

    settings = STILL.model_copy(update={"head": STILL.head.model_copy(update={"checkpoint_minutes": 0})})
    run = replace(run, recipe=settings, out=tmp_path)
    with pytest.raises(Stopped):
        replace(run, report=stop).run(dataset, "tiny", resume=False)
    steps = []
    again = replace(run, report=lambda stage, p: steps.append(p.step)).run(dataset, "tiny", resume=True)
    assert steps == [2]
    found, expected = read_tensors(again), read_tensors(still)
    assert all(torch.equal(found[name], expected[name]) for name in found.keys() | expected.keys())


@pytest.mark.parametrize(("begin", "moves", "kept"), [("still", True, False), ("finished", True, True)])
def test_a_detector_trained_on_keeps_its_layers_and_draws_those_it_lacks(
    request, setting, tmp_path, monkeypatch, begin, moves, kept
) -> None:
    dataset, run = setting
    init = request.getfixturevalue(begin)
    init = init if begin == "still" else init[0]
    monkeypatch.setattr(fine_tuning, "train", lambda network, *args, **kwargs: network.state_dict())
    recipe = RECIPE.model_copy(update={"box_regression": moves, "head": STILL.network})
    path = replace(run, init=init, recipe=recipe, out=tmp_path).run(dataset, "tiny", resume=False)
    before, began = read_tensors(init), read_tensors(path)
    assert [name for name in before if not torch.equal(began[name], before[name])] == []
    if not kept:
        assert set(began) - set(before) == {"regressor.weight", "regressor.bias"}
        assert not began["regressor.bias"].any()
        assert 0.0008 < float(began["regressor.weight"].float().std()) < 0.0012


def test_a_detector_of_the_same_classes_is_trained_on_without_the_head_stage(setting, finished, tmp_path) -> None:
    dataset, run = setting
    recipe = RECIPE.model_copy(update={"head": RECIPE.head.model_copy(update={"epochs": 0.0})})
    said = []
    path = replace(run, init=finished[0], recipe=recipe, out=tmp_path, say=said.append).run(dataset, "more", False)
    before, after = (read_tensors(file)["classifier.weight"].float() for file in (finished[0], path))
    assert not torch.equal(after, before)
    # Drawn anew it would not resemble the one it began with.
    assert float(torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1]) > 0.7
    assert said == ["windows of 4 of 4 images"]
    assert "drawn at random" in read_card(path).provenance


OTHER = {
    "rate": {"head": RECIPE.head.model_copy(update={"rate": 0.01})},
    "context": {"context": 8},
    "classifier_rate": {"classifier_rate": 1.0},
    "windows": {"windows": WindowSampling(positives=1, hard=1, background=1)},
    "box_regression": {"box_regression": False},
    "targets": {"targets": OverlapTargets(background=0.5, object=0.5)},
    "seed": {"seed": 1},
}


@pytest.mark.parametrize(("name", "change"), OTHER.items(), ids=OTHER.keys())
def test_resuming_with_other_settings_is_refused(setting, finished, name, change) -> None:
    dataset, run = setting
    with pytest.raises(UsageError, match=name) as caught:
        replace(run, recipe=RECIPE.model_copy(update=change)).run(dataset, "tiny", resume=True)
    assert caught.value.code == "RESUME_DIFFERS"


def test_resuming_from_other_weights_is_refused(setting, finished, tmp_path) -> None:
    dataset, run = setting
    tensors = read_tensors(run.init)
    tensors["inception5b.branch1.0.bias"] += 1
    save_weights(tmp_path / "other.safetensors", tensors, read_card(run.init))
    with pytest.raises(UsageError, match="init"):
        replace(run, init=tmp_path / "other.safetensors").run(dataset, "tiny", resume=True)


def test_data_without_objects_is_refused(setting) -> None:
    dataset, run = setting
    bare = replace(dataset, samples=tuple(replace(sample, truth=None) for sample in dataset.samples))
    with pytest.raises(DataError, match="tiny") as caught:
        run.run(bare, "tiny", resume=False)
    assert caught.value.code == "NO_OBJECTS"
