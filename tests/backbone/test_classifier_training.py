"""A whole training run on six small images: what it starts from, what it writes, and that stopping changes no byte."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shared_accuracy
import torch
from hostile import photo
from PIL import Image
from safetensors.torch import load_file
from together import together

from googlenet_rcnn.backbone import classifier_training
from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.classifier import Classifier
from googlenet_rcnn.backbone.classifier_training import ClassifierRecipe, ClassifierTraining
from googlenet_rcnn.backbone.labelled_images import LabelledImages
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.training import Interrupted, TrainSettings
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import read_json_lines
from googlenet_rcnn.core.types import LabelSet

pytestmark = pytest.mark.usefixtures("one_thread")

STEP = TrainSettings(epochs=0.7, batch=2, rate=0.01, average=0.9, clip=1.0)  # three steps of six images
RECIPE = ClassifierRecipe(train=STEP)
LABELS = LabelSet(("cat", "dog"))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Six pictures of two classes."""
    folder, paths = tmp_path_factory.mktemp("pictures"), []
    for number in range(6):
        paths.append(folder / f"{number}.png")
        Image.fromarray(np.roll(photo(50, 60), 9 * number, axis=1)).save(paths[-1])
    return LabelledImages(LABELS, paths, np.array([0, 1, 0, 1, 0, 1]))


def run_in(out, recipe=RECIPE, init=None, **changes):
    return ClassifierTraining(
        recipe, init, out, Processes(), say=lambda text: None, report=lambda progress: None, **changes
    )


def write_network(path, **changes):
    torch.manual_seed(4)
    card = Card(**({"labels": ("a", "b", "c"), "licence": "CC0", "provenance": "drawn at random"} | changes))
    save_weights(path, build_network(card).state_dict(), card)
    return path


@pytest.fixture(scope="module")
def finished(images, tmp_path_factory):
    """Path of a classifier from scratch, and the folder of its run."""
    out = tmp_path_factory.mktemp("run") / "out"
    return run_in(out).run(images, images, "tiny train", resume=False), out


def test_the_result_classifies_and_its_card_tells_how_it_came_about(finished, images) -> None:
    path, out = finished
    assert path == out / "classifier.safetensors"
    card = read_card(path)
    assert (card.task, card.labels, card.heads, card.data, card.seed) == (
        "classifier", ("cat", "dog"), True, "tiny train", 0,
    )  # fmt: skip
    assert card.recipe == RECIPE.model_dump(mode="json")
    assert card.provenance == "drawn at random; trained by googlenet-rcnn on tiny train"
    assert card.ranges
    assert all(value > 0 for value in card.ranges.values())
    assert {"torch", "torchvision", "numpy"} <= card.versions.keys()
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16}
    steps = list(read_json_lines(out / "train" / "log.jsonl"))
    assert [row["step"] for row in steps] == [1, 2, 3]
    assert steps[0]["loss"].keys() == {"main", "aux4a", "aux4d"}


def test_its_accuracy_is_that_of_one_crop_of_each_validation_image(finished, images) -> None:
    path = finished[0]
    found = read_card(path).metrics
    classifier = Classifier.load([path], "torch", 1)
    right = [
        int(classifier.probabilities(np.asarray(Image.open(one)), 1).argmax()) == label
        for one, label in zip(images.paths, images.truth, strict=True)
    ]
    assert found == {"images": 6, "crops": 1, "top1": pytest.approx(np.mean(right)), "top5": 1.0}


def test_processes_share_validation_and_count_each_image_once(images, tmp_path, monkeypatch) -> None:
    """With three processes and seven images, two at a time, one process has more than the others; none is padded."""
    monkeypatch.setattr(classifier_training, "_TOGETHER", 2)
    seven = LabelledImages(LABELS, [*images.paths, images.paths[0]], np.append(images.truth, 1))
    looked, sums = [], []
    crops = classifier_training._crops
    monkeypatch.setattr(classifier_training, "_crops", lambda path, card: looked.append(path) or crops(path, card))
    card = Card(labels=LABELS.names)
    torch.manual_seed(0)
    network = build_network(card).eval()

    class Share(Processes):
        def sum_(self, tensors):
            sums.append(tensors[0].clone())

    for rank in range(3):
        run = replace(run_in(tmp_path), processes=Share(rank=rank, count=3))
        run._accuracy(network, card, seven)
    assert sorted(looked) == sorted(seven.paths)
    alone = run_in(tmp_path)._accuracy(network, card, seven)
    assert torch.stack(sums).sum(dim=0).tolist() == [round(alone["top1"] * 7), 7]


def test_two_real_processes_measure_what_one_measures(tmp_path) -> None:
    images = shared_accuracy.drawn(tmp_path, 5)
    with together([shared_accuracy.__file__, tmp_path, "5"]) as pair:
        said = [process.communicate(timeout=240) for process in pair]
        assert [process.returncode for process in pair] == [0, 0], said
    assert json.loads(said[0][0]) == shared_accuracy.measured(images, Processes())


@pytest.mark.parametrize("arch", ["googlenet", "googlenet-bn"])
def test_one_example_is_a_batch(images, tmp_path, arch) -> None:
    """With dropout, auxiliary heads and, in the one, batch normalisation, which needs several numbers to compare."""
    one = STEP.model_copy(update={"batch": 1, "epochs": 0.2, "accumulate": 3})
    recipe = RECIPE.model_copy(update={"arch": arch, "train": one})
    path = run_in(tmp_path / "out", recipe).run(images, None, "tiny", resume=False)
    assert all(value.isfinite().all() for value in load_file(path).values())
    assert [row["step"] for row in read_json_lines(tmp_path / "out" / "train" / "log.jsonl")] == [1, 2]


def test_a_stopped_run_goes_on_to_the_same_bytes(finished, images, tmp_path) -> None:
    def stop(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    run = run_in(
        tmp_path / "out", RECIPE.model_copy(update={"train": STEP.model_copy(update={"checkpoint_minutes": 0})})
    )
    with pytest.raises((KeyboardInterrupt, Interrupted)):
        replace(run, report=stop).run(images, images, "tiny train", resume=False)
    steps = []
    again = replace(run, report=lambda progress: steps.append(progress.step))
    path = again.run(images, images, "tiny train", resume=True)
    assert steps[-1] == 3
    assert len(steps) < 3
    wanted, got = load_file(finished[0]), load_file(path)
    assert all(torch.equal(wanted[name], got[name]) for name in wanted)


def test_other_seeds_are_other_models_and_other_settings_do_not_resume(finished, images) -> None:
    _, out = finished
    with pytest.raises(UsageError, match="begun with other seed"):
        run_in(out, RECIPE.model_copy(update={"seed": 1})).run(images, None, "tiny train", resume=True)


def test_a_network_for_other_classes_gives_all_but_its_classifiers(images, tmp_path) -> None:
    init = write_network(tmp_path / "init.safetensors")
    still = RECIPE.model_copy(
        update={"frozen_below": "classifier", "heads": False, "train": STEP.model_copy(update={"weight_decay": 0.0})}
    )
    path = run_in(tmp_path / "out", still, init).run(images, None, "tiny", resume=False)
    before, after = load_file(init), load_file(path)
    assert after["classifier.weight"].shape == (2, 1024)
    same = [name for name in before if not name.startswith("classifier.")]
    assert all(torch.equal(before[name].half(), after[name]) for name in same)
    card = read_card(path)
    assert (card.licence, card.heads, card.metrics) == ("CC0", False, {})
    assert card.provenance == "drawn at random; trained by googlenet-rcnn on tiny"


def test_a_network_for_the_same_classes_is_trained_on(images, tmp_path) -> None:
    init = write_network(tmp_path / "init.safetensors", labels=LABELS.names)
    slow = RECIPE.model_copy(update={"heads": False, "train": STEP.model_copy(update={"rate": 1e-9})})
    path = run_in(tmp_path / "out", slow, init).run(images, None, "tiny", resume=False)
    before, after = load_file(init), load_file(path)
    torch.testing.assert_close(after["classifier.weight"].float(), before["classifier.weight"], atol=1e-3, rtol=1e-2)


def test_a_detector_is_a_start_too(images, tmp_path) -> None:
    detector = write_network(
        tmp_path / "detector.safetensors", task="detector", labels=LABELS.names, box_regression=True
    )
    path = run_in(tmp_path / "out", RECIPE, detector).run(images, None, "tiny", resume=False)
    assert load_file(path)["classifier.weight"].shape == (2, 1024)


def test_the_other_architecture_from_scratch(images, tmp_path) -> None:
    pytest.importorskip("torchvision")
    recipe = RECIPE.model_copy(update={"arch": "googlenet-bn", "heads": False, "smoothing": 0.1})
    path = run_in(tmp_path / "out", recipe).run(images, None, "tiny", resume=False)
    network, card = load_network(path)
    assert (card.arch, card.preprocessing.order) == ("googlenet-bn", "RGB")
    assert not network.training
