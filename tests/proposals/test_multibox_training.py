"""Training MultiBox on coloured rectangles: it learns them, repeats itself, and refuses what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from tiny_multibox import CARD, SIZE, StubTrunk, write_pictures
from tiny_voc import truth

from googlenet_rcnn.backbone.activation_shards import shard_name
from googlenet_rcnn.backbone.architectures import identity
from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.backbone.engine_torch import TorchEngine, run_batches
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.training import TrainSettings
from googlenet_rcnn.backbone.trunk import NOT_TRUNK
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.errors import DataError, ImageError, UsageError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.proposals.multibox import MultiBox
from googlenet_rcnn.proposals.multibox_arrays import HeadArrays, HeadSettings
from googlenet_rcnn.proposals.multibox_training import ImageViews, MultiBoxRecipe, MultiBoxTraining
from googlenet_rcnn.proposals.views import ViewSampling

pytestmark = pytest.mark.usefixtures("one_thread")

RECIPE = MultiBoxRecipe(
    priors=5,
    alpha=50.0,
    head=HeadSettings(channels=8, hidden=24, grid=2, dropout=0.0),
    views=ViewSampling(crops=1),
    train=TrainSettings(epochs=1.0, batch=3, rate=0.003, average=0.5, clip=20.0),
)


class Stopped(Exception):
    """Stands for a power cut."""


@pytest.fixture
def dataset(tmp_path):
    return write_pictures(tmp_path / "pictures")


def to_be(folder: Path, trunk: StubTrunk | None = None, **changes) -> MultiBoxTraining:
    """A run on the stub, which counts as shipped."""
    run = MultiBoxTraining(
        RECIPE, trunk or StubTrunk(), CARD, True, folder / "out", folder / "cache", Processes(),
        say=lambda text: None, report=lambda progress: None,
    )  # fmt: skip
    return replace(run, **changes)


def recipe(**changes) -> MultiBoxRecipe:
    return RECIPE.model_copy(update=changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The pictures, a run that nothing disturbed, its file, and what it said."""
    folder, said = tmp_path_factory.mktemp("multibox"), []
    dataset = write_pictures(folder / "pictures")
    run = to_be(folder, say=said.append, report=lambda progress: said.append((progress.step, progress.steps)))
    path = run.run(dataset, "tiny", resume=False)
    return dataset, replace(run, say=lambda text: None, report=lambda progress: None), path, said


def test_a_memorised_set_is_found_again(dataset, tmp_path) -> None:
    losses = []
    settings = TrainSettings(epochs=80.0, batch=8, rate=0.01, average=0.9, clip=20.0, warmup=20)
    run = to_be(
        tmp_path,
        recipe=recipe(views=ViewSampling(crops=0), train=settings),
        report=lambda progress: losses.append(progress.losses),
    )
    path = run.run(dataset, "tiny", resume=False)
    for name in ("location", "confidence"):
        assert np.mean([row[name] for row in losses[-5:]]) < 0.4 * np.mean([row[name] for row in losses[:5]])
    head = {name.removeprefix("head."): array for name, array in read_arrays(path).items()}
    engine = TorchEngine(run.trunk, CARD, "trunk")
    multibox = MultiBox(engine, HeadArrays.of(head, run.recipe.head, str(path)), read_card(path))
    for sample in dataset.samples:
        pixels = read_image(sample.path).pixels
        for image, mirrored in ((pixels, False), (pixels[:, ::-1], True)):
            found = multibox.propose(image)
            boxes = sample.truth.boxes.coordinates
            if mirrored:
                boxes = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (SIZE.width, 0, SIZE.width, 0)
            best = found[: len(boxes)]
            assert (intersection_over_union(boxes, best.boxes.coordinates).max(axis=1) > 0.6).all()
            assert best.scores.min() > 0.5
            assert (found.scores[len(boxes) :] < 0.5).all()


def test_a_run_says_what_it_does_and_describes_its_result(finished) -> None:
    _, run, path, said = finished
    assert said == ["maps of 4 of 4 images", (1, 4), (2, 4), (3, 4), (4, 4)]
    assert path == run.out / "multibox.safetensors"
    card = read_card(path)
    assert card.recipe == RECIPE.model_dump(mode="json")
    assert (card.task, card.data, card.seed, card.labels, card.licence) == ("multibox", "tiny", 0, CARD.labels, "CC0")
    assert card.trunk == identity(run.trunk, without=NOT_TRUNK)
    assert (card.warp_side, card.preprocessing) == (CARD.warp_side, CARD.preprocessing)
    assert card.provenance == "drawn at random; MultiBox head trained by googlenet-rcnn on tiny"
    assert {"torch", "numpy", "scikit-learn", "googlenet-rcnn"} <= set(card.versions)


def test_a_shipped_trunk_is_not_written_a_second_time(finished) -> None:
    tensors = read_tensors(finished[2])
    assert all(name.startswith("head.") for name in tensors)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert len(tensors["head.priors"]) == 5


def test_another_trunk_travels_with_its_head_as_the_head_knew_it(dataset, tmp_path) -> None:
    run = to_be(tmp_path, shipped_trunk=False)
    before = {name: tensor.clone() for name, tensor in run.trunk.state_dict().items()}
    path = run.run(dataset, "tiny", resume=False)
    stored = read_tensors(path)
    assert {name for name in stored if name.startswith("trunk.")} == {"trunk.colours.weight", "trunk.colours.bias"}
    assert torch.equal(stored["trunk.colours.weight"], before["colours.weight"].half())
    loaded = StubTrunk(seed=1)
    loaded.load_state_dict(before | {n: stored[f"trunk.{n}"].float() for n in ("colours.weight", "colours.bias")})
    assert identity(loaded, without=NOT_TRUNK) == read_card(path).trunk
    shard = load_file(next((tmp_path / "cache").rglob(shard_name("a/0"))))["activations"]
    crops = ImageViews.draw(dataset.samples[0], RECIPE.views, 0).crops(56, CARD.preprocessing.fill)
    assert np.array_equal(shard, run_batches(loaded.trunk, crops, CARD.preprocessing).half().numpy())


def test_priors_are_the_objects_and_their_mirror_images(dataset, tmp_path) -> None:
    boxes = np.concatenate([sample.truth.boxes.coordinates for sample in dataset.samples]) / (80, 60, 80, 60)
    mirrored = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (1, 0, 1, 0)
    expected = np.unique(np.concatenate([boxes, mirrored]).round(6), axis=0)
    run = to_be(tmp_path, recipe=recipe(priors=len(expected)))
    priors = read_tensors(run.run(dataset, "tiny", resume=False))["head.priors"].numpy()
    assert len(expected) == 9  # one of the five is its own mirror image
    distances = np.abs(priors[:, None] - expected[None]).max(axis=2)
    assert sorted(distances.argmin(axis=1)) == list(range(9))
    assert distances.min(axis=1).max() < 0.001


def test_the_same_run_again_gives_the_same_bytes_and_reads_its_maps(finished, tmp_path) -> None:
    dataset, run, path, _ = finished
    looks = run.trunk.looks
    again = replace(run, out=tmp_path).run(dataset, "tiny", resume=False)
    assert again.read_bytes() == path.read_bytes()
    assert run.trunk.looks == looks >= 4 * 3


def test_other_seeds_views_and_trunks_have_other_maps(finished, tmp_path) -> None:
    dataset, run, path, _ = finished
    changes = (
        {"recipe": recipe(seed=1)},
        {"recipe": recipe(views=ViewSampling(crops=1, kept=0.4, least_area=0.5))},
        {"trunk": StubTrunk(seed=1)},
        {"trunk_card": CARD.model_copy(update={"warp_side": 28, "warp_context": 0})},
    )
    for number, change in enumerate(changes):
        other = replace(run, cache=tmp_path / "cache", out=tmp_path / str(number), **change)
        looks = other.trunk.looks
        assert other.run(dataset, "tiny", resume=False).read_bytes() != path.read_bytes()
        assert other.trunk.looks > looks
    assert len(list((tmp_path / "cache").iterdir())) == 3  # seeds and views share a folder, in turns


@pytest.mark.parametrize("change", [{"alpha": 5.0}, {"emphasis": 0.0}, {"prior_emphasis": 0.0}], ids=str)
def test_every_weight_of_the_loss_and_of_the_priors_counts(finished, tmp_path, change) -> None:
    dataset, run, path, _ = finished
    other = read_tensors(replace(run, recipe=recipe(**change), out=tmp_path).run(dataset, "tiny", resume=False))
    before = read_tensors(path)
    assert torch.equal(other["head.priors"], before["head.priors"]) == ("prior_emphasis" not in change)
    assert not torch.equal(other["head.output.weight"], before["head.output.weight"])


@pytest.mark.parametrize("step", [1, 3])
def test_stopped_and_continued_gives_the_same_bytes(finished, tmp_path, step) -> None:
    dataset, run, path, _ = finished
    steps = []

    def stop(progress) -> None:
        if progress.step == step:
            raise Stopped

    often = recipe(train=RECIPE.train.model_copy(update={"checkpoint_minutes": 0.0}))
    run = replace(run, out=tmp_path, recipe=often)
    with pytest.raises(Stopped):
        replace(run, report=stop).run(dataset, "tiny", resume=False)
    assert not (tmp_path / "multibox.safetensors").exists()
    again = replace(run, recipe=RECIPE, report=lambda p: steps.append(p.step)).run(dataset, "tiny", resume=True)
    assert steps == list(range(step, 5))
    assert again.read_bytes() == path.read_bytes()


def test_stopped_among_the_maps_and_continued_gives_the_same_bytes(finished, tmp_path) -> None:
    dataset, run, path, _ = finished
    third = dataset.samples[2].path
    data = third.read_bytes()
    run = replace(run, out=tmp_path / "out", cache=tmp_path / "cache")
    third.write_bytes(b"")
    with pytest.raises(ImageError, match="IMG_EMPTY"):
        run.run(dataset, "tiny", resume=False)
    third.write_bytes(data)
    looks = run.trunk.looks
    assert run.run(dataset, "tiny", resume=True).read_bytes() == path.read_bytes()
    assert run.trunk.looks - looks == 2 * 3


def test_resuming_a_finished_run_changes_nothing(finished) -> None:
    dataset, run, path, _ = finished
    before, steps = path.read_bytes(), []
    assert replace(run, report=steps.append).run(dataset, "tiny", resume=True).read_bytes() == before
    assert steps == []


OTHER = {
    "alpha": {"alpha": 5.0},
    "emphasis": {"emphasis": 0.0},
    "prior_emphasis": {"prior_emphasis": 0.0},
    "priors": {"priors": 4},
    "head": {"head": RECIPE.head.model_copy(update={"scale": 0.2})},
    "views": {"views": ViewSampling(crops=2)},
    "seed": {"seed": 1},
    "rate": {"train": RECIPE.train.model_copy(update={"rate": 0.01})},
}


@pytest.mark.parametrize(("name", "change"), OTHER.items(), ids=OTHER.keys())
def test_resuming_with_other_settings_is_refused(finished, name, change) -> None:
    dataset, run, path, _ = finished
    before = path.read_bytes()
    with pytest.raises(UsageError, match=rf"other .*\b{name}\b") as caught:
        replace(run, recipe=recipe(**change)).run(dataset, "tiny", resume=True)
    assert caught.value.code == "RESUME_DIFFERS"
    assert path.read_bytes() == before


def test_resuming_on_another_trunk_or_other_data_is_refused(finished) -> None:
    dataset, run, _, _ = finished
    with pytest.raises(UsageError, match="other trunk"):
        replace(run, trunk=StubTrunk(seed=1)).run(dataset, "tiny", resume=True)
    moved = replace(dataset, samples=(replace(dataset.samples[0], image_id="other"), *dataset.samples[1:]))
    with pytest.raises(UsageError, match="other data"):
        run.run(moved, "tiny", resume=True)


def test_data_without_objects_or_with_too_few_is_refused(dataset, tmp_path) -> None:
    bare = tuple(replace(sample, truth=truth([], SIZE)) for sample in dataset.samples)
    for samples in (bare, (), dataset.samples[3:]):
        with pytest.raises(DataError, match="annotate more") as caught:
            to_be(tmp_path).run(replace(dataset, samples=samples), "tiny", resume=False)
        assert caught.value.code == "TOO_FEW_OBJECTS"
    assert not (tmp_path / "out").exists()


def test_only_images_whose_objects_are_all_known_are_learned_from(finished, tmp_path) -> None:
    dataset, run, path, _ = finished
    unsure = replace(dataset.samples[0], image_id="unsure", exhaustive=False)
    more = replace(dataset, samples=(unsure, *dataset.samples))
    assert replace(run, out=tmp_path).run(more, "tiny", resume=False).read_bytes() == path.read_bytes()


def test_an_image_without_annotation_is_refused(dataset, tmp_path) -> None:
    samples = (*dataset.samples[:3], replace(dataset.samples[3], truth=None))
    with pytest.raises(DataError, match=r"3\.png has no annotation") as caught:
        to_be(tmp_path).run(replace(dataset, samples=samples), "tiny", resume=False)
    assert caught.value.code == "ANN_MISSING"


def test_an_image_of_another_size_than_annotated_is_refused(dataset, tmp_path) -> None:
    Image.new("RGB", (60, 80)).save(dataset.samples[1].path)
    with pytest.raises(DataError, match=r"1\.png is 60x80, its annotation says 80x60") as caught:
        to_be(tmp_path).run(dataset, "tiny", resume=False)
    assert caught.value.code == "SIZE_MISMATCH"


def test_lower_precision_trains(dataset, tmp_path) -> None:
    settings = TrainSettings(epochs=0.2, batch=3, rate=0.001, precision="bf16")
    tensors = read_tensors(to_be(tmp_path, recipe=recipe(train=settings)).run(dataset, "tiny", resume=False))
    assert all(tensor.isfinite().all() for tensor in tensors.values())
