"""How screening is learned: examples and their mirror images, the loss by hand, and that it does learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file
from stub_parts import FixedProposer
from tiny_multibox import CARD, OBJECTS, SIZE, write_pictures
from tiny_screen import ColourTrunk, random_boxes
from tiny_voc import truth

from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.stream import Collate
from googlenet_rcnn.backbone.training import TrainSettings
from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Boxes, Dataset, LabelSet, Sample
from googlenet_rcnn.detector.cascade import CascadeSettings
from googlenet_rcnn.detector.sampling import Windows
from googlenet_rcnn.detector.screen_training import ScreenRecipe, ScreenTask, ScreenTraining
from googlenet_rcnn.detector.screening import Screen, ScreenHeadSettings
from googlenet_rcnn.detector.targets import OverlapTargets
from googlenet_rcnn.detector.windows import ImageWindows

pytestmark = pytest.mark.usefixtures("one_thread")

HEAD = ScreenHeadSettings(side=96, channels=4, hidden=4, grid=3)
RECIPE, TARGETS = ScreenRecipe(head=HEAD, boxes=8), OverlapTargets()


@pytest.fixture
def task(tmp_path):
    """Three images with 20, 3 and 8 windows, their maps drawn at random."""
    images, paths = [], []
    for number, count in enumerate((20, 3, 8)):
        random = np.random.default_rng(number)
        shape = (1, 832, HEAD.cells, HEAD.cells)
        paths.append(tmp_path / f"{number}.safetensors")
        save_file({"activations": random.normal(size=shape).clip(min=0).astype(np.float16)}, paths[-1])
        boxes, labels = random_boxes(count, number, SIZE), random.integers(0, 3, count)
        overlaps = np.where(labels > 0, random.uniform(0, 1, count), 0.0)
        windows = Windows(boxes, labels, overlaps, boxes.coordinates, np.zeros(count, np.bool_))
        sample = Sample(f"image{number}", tmp_path / "x", truth([], SIZE))
        images.append(ImageWindows(sample, windows, f"digest{number}"))
    return ScreenTask(images, paths, RECIPE, TARGETS)


def stored_map(task, index):
    from safetensors.numpy import load_file

    return load_file(task.paths[index])["activations"][0]


def pooled(example):
    """What the windows of an example read [n,grid,grid,832]."""
    return np.einsum("nru,nsv,cuv->nrsc", example.looks.rows, example.looks.columns, example.map.astype(np.float32))


def examples(task, index):
    """One that is as the image is, and one that is mirrored."""
    found = {}
    for seed in range(30):
        one = task.example(index, np.random.default_rng(seed))
        found[not (one.map == stored_map(task, index)).all()] = one
    return found[False], found[True]


def test_examples_are_images(task) -> None:
    assert len(task) == 3
    assert [task.identity(index) for index in range(3)] == ["image0", "image1", "image2"]


@pytest.mark.parametrize("index", range(3))
def test_an_example_is_some_windows_of_an_image(task, index) -> None:
    one, _ = examples(task, index)
    count = len(task.images[index].windows.labels)
    assert one.image == index
    assert len(one.windows) == RECIPE.boxes
    assert len(set(one.windows.tolist())) <= count
    if count >= RECIPE.boxes:
        assert len(set(one.windows.tolist())) == RECIPE.boxes
    boxes = task.images[index].windows.boxes
    for part, expected in zip(one.looks, HEAD.looks(boxes[one.windows]), strict=True):
        assert (part == expected).all()


@pytest.mark.parametrize("index", range(3))
def test_in_a_mirror_image_a_window_reads_the_same_from_right_to_left(task, index) -> None:
    _, one = examples(task, index)
    boxes = task.images[index].windows.boxes[one.windows]
    plain = one._replace(map=stored_map(task, index), looks=HEAD.looks(boxes))
    np.testing.assert_allclose(pooled(one), pooled(plain)[:, :, ::-1], atol=2e-3)
    low, high, sides = (plain.looks.geometry[:, columns] for columns in ([0, 1], [2, 3], slice(4, 8)))
    expected = np.hstack([1 - high[:, :1], low[:, 1:], 1 - low[:, :1], high[:, 1:], sides])
    np.testing.assert_allclose(one.looks.geometry, expected, atol=1e-5)


def test_half_of_the_examples_are_mirrored_and_no_two_are_alike(task) -> None:
    drawn = [task.example(0, np.random.default_rng(seed)) for seed in range(200)]
    mirrored = sum(not (one.map == stored_map(task, 0)).all() for one in drawn)
    assert 70 < mirrored < 130
    assert len({one.windows.tobytes() for one in drawn}) > 195
    again = task.example(0, np.random.default_rng(0))
    assert all((a == b).all() for a, b in zip(again.looks, drawn[0].looks, strict=True))


def test_a_batch_holds_the_windows_of_its_images_in_order(task) -> None:
    drawn = [task.example(index, np.random.default_rng(index)) for index in (2, 0)]
    batch = task.batch(drawn)
    assert batch.maps.shape == (2, 832, HEAD.cells, HEAD.cells)
    assert batch.columns.shape == batch.rows.shape == (2, 8, 3, HEAD.cells)
    assert batch.geometry.shape == (2, 8, 8)
    windows = [task.images[one.image].windows for one in drawn]
    labels = np.concatenate([w.labels[one.windows] for w, one in zip(windows, drawn, strict=True)])
    overlaps = np.concatenate([w.overlaps[one.windows] for w, one in zip(windows, drawn, strict=True)])
    assert batch.targets.labels.tolist() == labels.tolist()
    np.testing.assert_allclose(batch.targets.shares, np.clip((overlaps - 0.3) / 0.4, 0, 1), atol=1e-6)


def test_the_loss_is_the_mean_over_windows_summed_over_images(task) -> None:
    batch = task.batch([task.example(index, np.random.default_rng(index)) for index in range(3)])
    logits = torch.randn(3, 8, 3, generator=torch.Generator().manual_seed(0))

    class Fixed(torch.nn.Linear):
        def forward(self, *parts):
            assert [part.shape[:1] for part in parts] == [(3,)] * 4
            return logits

    logs = torch.log_softmax(logits, dim=2).reshape(-1, 3)
    expected = 0.0
    for row, (label, share) in enumerate(zip(batch.targets.labels, batch.targets.shares, strict=True)):
        expected -= float(share * logs[row, label] + (1 - share) * logs[row, 0]) / 8
    assert float(task.losses(Fixed(1, 1), batch)["screen"]) == pytest.approx(expected, rel=1e-5)


def test_parts_of_a_batch_have_the_losses_of_the_whole(task) -> None:
    from googlenet_rcnn.detector.screening_head import ScreenHead

    torch.manual_seed(0)
    head = ScreenHead(3, HEAD).eval()
    rows = [(index, task.example(index, np.random.default_rng(index))) for index in range(3)]
    whole, parts = (
        sum(float(task.losses(head, part)["screen"].detach()) for part in Collate(task, count)(rows).parts)
        for count in (1, 2)
    )
    assert parts == pytest.approx(whole, rel=1e-5)


def test_the_fingerprint_tells_of_images_windows_and_what_they_show(task) -> None:
    def changed(**windows):
        first = task.images[0]
        return [first._replace(windows=first.windows._replace(**windows)), *task.images[1:]]

    others = [
        task.images[::-1],
        task.images[:2],
        [task.images[0]._replace(digest="other"), *task.images[1:]],
        changed(labels=1 - task.images[0].windows.labels),
        changed(overlaps=task.images[0].windows.overlaps / 2),
    ]
    found = {ScreenTask(images, task.paths, RECIPE, TARGETS).fingerprint() for images in others}
    assert len(found) == 5
    assert task.fingerprint() not in found
    assert task.fingerprint() == ScreenTask(list(task.images), [], RECIPE, TARGETS).fingerprint()


GRID = tuple(
    (float(x), float(y), float(x + w), float(y + h))
    for w, h in ((30, 25), (35, 35), (20, 20)) for x in range(0, 80 - w + 1, 9) for y in range(0, 60 - h + 1, 9)
)  # fmt: skip
LEARNING = ScreenRecipe(
    head=ScreenHeadSettings(side=96, channels=8, hidden=16, grid=2, dropout=0.0),
    boxes=32,
    train=TrainSettings(epochs=80, batch=4, rate=0.1, warmup=5, clip=5.0, average=0.9),
)


SHORT = LEARNING.model_copy(update={"train": LEARNING.train.model_copy(update={"epochs": 1.0})})


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    """Pictures with bright rectangles on grey, and a run that learns to find them."""
    folder = tmp_path_factory.mktemp("screen")
    dataset = write_pictures(folder / "pictures")
    card = CARD.model_copy(update={"task": "detector", "labels": ("cat",)})
    run = ScreenTraining(
        LEARNING, OverlapTargets(), ColourTrunk(), card, seed=0, out=folder / "out", cache=folder / "cache",
        proposer=FixedProposer(GRID), processes=Processes(), say=lambda text: None, report=lambda progress: None,
    )  # fmt: skip
    return dataset, run


@pytest.fixture(scope="module")
def finished(setting):
    """What was learned, what was said and the progress of each step."""
    dataset, run = setting
    said, steps = [], []
    screened = replace(run, say=said.append, report=steps.append).run(dataset, "tiny", resume=False)
    return screened, said, steps


def test_the_loss_falls(finished) -> None:
    _, said, steps = finished
    assert said == ["screening windows of 4 of 4 images", "maps of 4 of 4 images"]
    assert [progress.step for progress in steps] == list(range(1, 81))
    losses = [progress.losses["screen"] for progress in steps]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:3])


def test_boxes_on_objects_score_higher_than_background_also_in_a_new_picture(finished) -> None:
    screened = finished[0]
    arrays = {name: tensor.numpy() for name, tensor in screened.tensors.items()}
    screen = Screen.of(screened.card, arrays, ColourTrunk(), "x")
    for number, objects in enumerate((*OBJECTS, [(25, 12, 60, 40)])):
        pixels = np.full((*SIZE, 3), 90, np.uint8)
        for x1, y1, x2, y2 in objects:
            pixels[y1:y2, x1:x2] = (255, 200, 40 * (number % 4))
        boxes = Boxes(np.array([*objects, *GRID], np.float32), SIZE)
        scores = screen.probabilities(pixels, boxes)[:, 1]
        inside = boxes.coordinates.astype(int)
        empty = np.array([(pixels[y1:y2, x1:x2] == 90).all() for x1, y1, x2, y2 in inside])
        assert empty.sum() >= 3
        assert scores[: len(objects)].min() > 2 * scores[empty].max(), number


def test_the_result_is_the_detector_with_a_head(setting, finished) -> None:
    screened, (_, run) = finished[0], setting
    own = run.network.state_dict()
    assert all(torch.equal(screened.tensors[name], tensor) for name, tensor in own.items())
    assert {name.partition(".")[0] for name in screened.tensors.keys() - own.keys()} == {"screen"}
    assert screened.card.screen == {
        "head": LEARNING.head.model_dump(), "cascade": CascadeSettings().model_dump(), "vote": 0.4, "data": "tiny",
    }  # fmt: skip
    assert screened.card.model_copy(update={"screen": None}) == run.card


def equal(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_maps_are_computed_once_for_an_image_and_a_trunk(setting, finished, tmp_path) -> None:
    dataset, run = setting
    before = run.network.looks
    assert equal(replace(run, out=tmp_path / "a").run(dataset, "tiny", resume=False).tensors, finished[0].tensors)
    assert run.network.looks == before
    shards = sorted(run.cache.glob("squares-*/*.safetensors"))
    assert len(shards) == 4
    other = ColourTrunk(seed=1)
    replace(run, network=other, recipe=SHORT, out=tmp_path / "b").run(dataset, "tiny", resume=False)
    assert other.looks == 4
    assert len(list(run.cache.glob("squares-*"))) == 2


def test_a_picture_that_changed_is_looked_at_again(setting, tmp_path) -> None:
    _, run = setting
    dataset = write_pictures(tmp_path / "pictures")
    run = replace(run, recipe=SHORT, network=ColourTrunk(), cache=tmp_path / "cache", out=tmp_path / "a")
    run.run(dataset, "tiny", resume=False)
    picture = dataset.samples[1].path
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    with pytest.raises(UsageError, match="data"):
        run.run(dataset, "tiny", resume=True)
    assert run.network.looks == 5


def test_a_stopped_run_goes_on_to_the_same_weights(setting, finished, tmp_path) -> None:
    dataset, run = setting

    def stop(progress) -> None:
        if progress.step == 7:
            raise EOFError  # stands for a power cut

    often = LEARNING.train.model_copy(update={"checkpoint_minutes": 0.0})
    run = replace(run, recipe=LEARNING.model_copy(update={"train": often}), out=tmp_path)
    with pytest.raises(EOFError):
        replace(run, report=stop).run(dataset, "tiny", resume=False)
    steps = []
    again = replace(run, report=lambda progress: steps.append(progress.step)).run(dataset, "tiny", resume=True)
    assert steps == list(range(7, 81))
    assert equal(again.tensors, finished[0].tensors)


def test_images_without_windows_teach_nothing(setting, tmp_path) -> None:
    dataset, run = setting
    bare = Dataset(LabelSet(("cat",)), tuple(replace(one, truth=truth([], SIZE)) for one in dataset.samples))
    run = replace(run, proposer=FixedProposer(()), cache=tmp_path / "cache", out=tmp_path / "out")
    with pytest.raises(DataError, match="nothing to train on") as caught:
        run.run(bare, "tiny", resume=False)
    assert caught.value.code == "NO_EXAMPLES"


def test_only_images_whose_objects_are_all_known_are_screened(setting, tmp_path) -> None:
    dataset, run = setting
    part = Dataset(LabelSet(("cat",)), (*dataset.samples[:3], replace(dataset.samples[3], exhaustive=False)))
    said = []
    replace(run, recipe=SHORT, out=tmp_path, say=said.append).run(part, "tiny", resume=False)
    assert said == ["screening windows of 3 of 3 images", "maps of 3 of 3 images"]
