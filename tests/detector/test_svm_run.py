"""SVMs as a detector's classifier: what they are given, what they score, and that nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from stub_parts import FixedProposer
from tiny_multibox import OBJECTS, SIZE, write_pictures
from tiny_voc import truth

from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import DataError, ModelError
from googlenet_rcnn.core.types import Dataset, LabelSet
from googlenet_rcnn.detector import svm_run
from googlenet_rcnn.detector.sampling import WindowSampling
from googlenet_rcnn.detector.svm_run import SvmRecipe, SvmRun

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = SvmRecipe(windows=WindowSampling(positives=2, hard=4, background=4))
BOXES = tuple(
    (float(x), float(y), float(x + 30), float(y + 24)) for x in range(0, 50, 8) for y in range(0, 36, 7)
)  # a grid, of which the samples choose


class Colours:
    """Stands for the features of a network: the mean colour of a crop's middle, and of its border."""

    name = "colours"

    def __init__(self) -> None:
        self.crops = 0

    def run(self, pixels: np.ndarray) -> np.ndarray:
        self.crops += len(pixels)
        middle = pixels[:, 60:164, 60:164].mean(axis=(1, 2))
        border = pixels[:, :60].mean(axis=(1, 2))
        features = np.zeros((len(pixels), 1024), np.float32)
        features[:, :6] = np.concatenate([middle, border], axis=1) / 64
        return features


def write_detector(path, arch="googlenet", labels=("cat",), **changes):
    torch.manual_seed(1)
    card = Card(
        arch=arch, task="detector", labels=labels, box_regression=True, recipe={"seed": 5}, score_threshold=0.3,
        provenance="drawn at random",
    ).model_copy(update=changes)  # fmt: skip
    save_weights(path, build_network(card).state_dict(), card, half=True)
    return path


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """The data set and a run to be."""
    folder = tmp_path_factory.mktemp("run")
    weights = write_detector(folder / "given.safetensors")
    said = []
    run = SvmRun(RECIPE, weights, Colours(), folder / "cache", FixedProposer(BOXES), said.append)
    return write_pictures(folder / "pictures"), run


@pytest.fixture(scope="module")
def finished(setting, tmp_path_factory):
    """Path of the detector with SVMs."""
    dataset, run = setting
    return run.run(dataset, "tiny", tmp_path_factory.mktemp("out") / "svm.safetensors")


def test_only_the_classifier_changes(setting, finished) -> None:
    before, after = load_file(setting[1].weights), load_file(finished)
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"classifier.weight", "classifier.bias"}
    assert {tensor.dtype for tensor in after.values()} == {torch.float16}
    load_network(finished)


def test_the_logit_of_background_is_nothing(finished) -> None:
    after = load_file(finished)
    assert not after["classifier.weight"][0].any()
    assert after["classifier.bias"][0] == 0


def test_objects_score_above_what_touches_none(setting, finished) -> None:
    dataset, run = setting
    arrays = load_file(finished)
    weights, bias = arrays["classifier.weight"].float().numpy(), arrays["classifier.bias"].float().numpy()
    examples = run._examples(dataset, read_card(run.weights))
    scores = examples.features @ weights[1] + bias[1]
    objects, nothing = scores[examples.objects], scores[examples.overlaps[:, 0] < 0.1]
    assert len(objects) == sum(map(len, OBJECTS))
    assert np.mean(objects[:, None] > nothing) > 0.9
    assert objects.max() > 0 > nothing.max()  # log-odds: more likely than not, and less


def test_the_card_tells_of_it_and_forgets_the_threshold(setting, finished) -> None:
    before, after = read_card(setting[1].weights), read_card(finished)
    assert after.recipe == before.recipe | {"svm": RECIPE.model_dump(mode="json")}
    assert after.provenance == "drawn at random; linear SVMs on tiny"
    assert after.score_threshold is None
    same = {"recipe", "provenance", "score_threshold"}
    assert after.model_dump(exclude=same) == before.model_dump(exclude=same)


def test_again_gives_the_same_bytes_and_asks_the_network_nothing(setting, finished, tmp_path) -> None:
    dataset, run = setting
    engine = Colours()
    path = replace(run, engine=engine).run(dataset, "tiny", tmp_path / "again.safetensors")
    assert path.read_bytes() == finished.read_bytes()
    assert engine.crops == 0


def test_a_stopped_run_goes_on_where_it_was(setting, finished, tmp_path) -> None:
    dataset, run = setting

    class Stopping(Colours):
        def run(self, pixels):
            if self.crops:
                raise KeyboardInterrupt
            return super().run(pixels)

    run = replace(run, cache=tmp_path / "cache")
    with pytest.raises(KeyboardInterrupt):
        replace(run, engine=Stopping()).run(dataset, "tiny", tmp_path / "svm.safetensors")
    engine = Colours()
    path = replace(run, engine=engine).run(dataset, "tiny", tmp_path / "svm.safetensors")
    assert path.read_bytes() == finished.read_bytes()
    whole = Colours()
    replace(run, engine=whole, cache=tmp_path / "fresh").run(dataset, "tiny", tmp_path / "other.safetensors")
    assert 0 < engine.crops < whole.crops


def test_positives_are_objects_and_negatives_overlap_none_of_the_class(setting, monkeypatch, tmp_path) -> None:
    """By brute force, on a set with two classes and an object marked difficult."""
    dataset, run = setting
    samples = list(dataset.samples)
    samples[2] = replace(samples[2], truth=truth([(0, OBJECTS[2][0], False), (1, OBJECTS[2][1], True)], SIZE))
    samples[3] = replace(samples[3], truth=truth([(1, OBJECTS[3][0], False)], SIZE))
    both = Dataset(LabelSet(("cat", "dog")), tuple(samples))
    given = []
    fit = svm_run.fit_svm
    monkeypatch.setattr(svm_run, "fit_svm", lambda p, n, *rest: given.append((len(p), len(n))) or fit(p, n, *rest))
    weights = write_detector(tmp_path / "two.safetensors", labels=("cat", "dog"))
    run = replace(run, weights=weights, cache=tmp_path / "cache")
    run.run(both, "both", tmp_path / "svm.safetensors")
    windows = list(svm_run.WindowCache(run.cache, run.proposer, RECIPE.windows, 0).build(both.samples))
    counts = []
    for label, positives in ((0, 3), (1, 1)):
        negatives = 0
        for image in windows:
            boxes = image.sample.truth.boxes.coordinates[image.sample.truth.labels == label]
            for window in image.windows.boxes.coordinates:
                overlaps = intersection_over_union(window[None], boxes)
                negatives += float(overlaps.max(initial=0)) < 0.3
        counts.append((positives, negatives))
    assert given == counts


def test_a_class_without_objects_is_never_found_and_that_is_said(setting, tmp_path) -> None:
    dataset, run = setting
    weights = write_detector(tmp_path / "two.safetensors", labels=("cat", "dog"))
    said = []
    run = replace(run, weights=weights, cache=tmp_path / "cache", say=said.append)
    path = run.run(Dataset(LabelSet(("cat", "dog")), dataset.samples), "cats", tmp_path / "svm.safetensors")
    assert "note: no object of class dog: it will never be found" in said
    arrays = load_file(path)
    assert not arrays["classifier.weight"][2].any()
    assert arrays["classifier.bias"][2] == -20


def test_the_other_architecture_has_its_classifier_too(setting, tmp_path) -> None:
    pytest.importorskip("torchvision")
    dataset, run = setting
    weights = write_detector(tmp_path / "bn.safetensors", arch="googlenet-bn")
    path = replace(run, weights=weights, cache=tmp_path / "cache").run(dataset, "tiny", tmp_path / "svm.safetensors")
    assert not load_file(path)["fc.weight"][0].any()
    load_network(path)


def test_what_cannot_be_trained_on_is_refused(setting, tmp_path) -> None:
    dataset, run = setting
    out = tmp_path / "svm.safetensors"
    empty = Dataset(dataset.labels, tuple(replace(one, truth=truth([], SIZE)) for one in dataset.samples))
    with pytest.raises(DataError, match="no image has an object"):
        run.run(empty, "empty", out)
    with pytest.raises(DataError, match="LABELS_DIFFER"):
        run.run(Dataset(LabelSet(("dog",)), dataset.samples), "dogs", out)
    other = write_detector(tmp_path / "classifier.safetensors", task="classifier", labels=("cat", "dog"))
    with pytest.raises(ModelError, match="is a classifier, not a detector"):
        replace(run, weights=other).run(dataset, "tiny", out)
    assert not out.exists()
