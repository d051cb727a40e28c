"""What a detector learns from: losses against torch's own, examples, batches, numbering, fingerprints."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from safetensors.numpy import load_file, save_file
from tiny_voc import truth
from torch import nn
from torch.nn import functional

from googlenet_rcnn.backbone.googlenet import Logits
from googlenet_rcnn.backbone.stream import Collate
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.types import Boxes, Proposals, Sample, Size
from googlenet_rcnn.detector.activations import Shard
from googlenet_rcnn.detector.box_regression import move_boxes
from googlenet_rcnn.detector.sampling import Windows, WindowSampling, sample_windows
from googlenet_rcnn.detector.targets import OverlapTargets
from googlenet_rcnn.detector.tasks import ActivationTask, Example, WindowTask
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows

SIZE, PREPROCESSING, WARP = Size(60, 80), Preprocessing(), Warp(32, 4)
SOFT, HARD = OverlapTargets(background=0.3, object=0.7), OverlapTargets(background=0.5, object=0.5)


class Head(nn.Module):
    """Linear in the mean colour or activation: a stand-in with both entrances of a network."""

    def __init__(self, regressed: int = 0) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.regressor = nn.Linear(3, 4 * regressed) if regressed else None

    def upper(self, x):
        features = x.mean(dim=(2, 3))
        return Logits(self.linear(features), offsets=None if self.regressor is None else self.regressor(features))

    def forward(self, x):
        return self.upper(x / 100)


@pytest.fixture
def shards(tmp_path):
    made = []
    for number, labels in enumerate(([1, 3], [], [0, 2, 3])):
        random, count = np.random.default_rng(number), len(labels)
        image = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(photo(*SIZE), number * 9, axis=0)).save(image)
        corner = random.integers(0, 30, (count, 2))
        boxes = np.concatenate([corner, corner + 20], axis=1).astype(np.float32).reshape(-1, 4)
        labels = np.array(labels, dtype=np.int64)
        overlaps = np.where(labels > 0, np.linspace(0.4, 0.9, count), 0.0)
        objects = np.where(labels[:, None] > 0, boxes + random.integers(-4, 5, boxes.shape), boxes).astype(np.float32)
        save_file(
            {"activations": random.normal(size=(count, 3, 7, 7)).astype(np.float16)},
            tmp_path / f"{number}.safetensors",
        )
        sample = Sample(f"image{number}", image, truth([], SIZE))
        windows = Windows(Boxes(boxes, SIZE), labels, overlaps, objects, np.arange(count) % 2 == 1)
        made.append(Shard(tmp_path / f"{number}.safetensors", ImageWindows(sample, windows, "digest")))
    return made


def changed(shard: Shard, **windows) -> Shard:
    return shard._replace(image=shard.image._replace(windows=shard.image.windows._replace(**windows)))


def activation_task(shards, targets=SOFT) -> ActivationTask:
    return ActivationTask(shards, targets)


def window_task(shards, targets=SOFT) -> WindowTask:
    return WindowTask([shard.image for shard in shards], targets, WARP, PREPROCESSING)


def truths(shards) -> list[tuple[int, float]]:
    """Label and overlap of every window, in order."""
    windows = [shard.image.windows for shard in shards]
    return [row for each in windows for row in zip(each.labels.tolist(), each.overlaps.tolist(), strict=True)]


def all_rows(shards, column) -> np.ndarray:
    """A column of every window [N,...], in order."""
    return np.concatenate([column(shard.image.windows) for shard in shards])


def batch(task, seed: int = 0, only=None):
    """The task's batch of all windows, or of some."""
    return task.batch([task.example(index, random(seed + index)) for index in only or range(len(task))])


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_windows_are_numbered_through_the_shards(shards) -> None:
    task = activation_task(shards)
    assert len(task) == 5
    names = [task.identity(index) for index in range(5)]
    assert names == ["image0#0", "image0#1", "image2#0", "image2#1", "image2#2"]


def test_nothing_to_learn_from(shards) -> None:
    assert len(activation_task([])) == len(activation_task(shards[1:2])) == 0


def test_an_example_is_its_row_of_the_shard(shards) -> None:
    task = activation_task(shards)
    for index, (shard, row) in enumerate([(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]):
        activations, mirrored, number = example = task.example(index, random())
        assert np.array_equal(activations, load_file(shards[shard].path)["activations"][row])
        assert (mirrored, number) == (bool(row % 2), index)
        assert isinstance(example, Example)


@pytest.mark.parametrize("kind", [activation_task, window_task])
def test_a_batch_is_its_examples_and_what_they_count_for(shards, kind) -> None:
    task = kind(shards)
    for only in ([0, 1, 2, 3, 4], [4, 0], [2]):
        examples = [task.example(index, random(index)) for index in only]
        values, targets = task.batch(examples)
        assert values.dtype == (torch.float16 if kind is activation_task else torch.uint8)
        assert np.array_equal(values.numpy(), np.stack([example.values for example in examples]))
        labels, overlaps = zip(*[truths(shards)[index] for index in only], strict=True)
        assert targets.labels.tolist() == list(labels)
        expected = SOFT.targets(np.array(labels), np.array(overlaps), targets.offsets.numpy())
        assert all(torch.equal(*pair) for pair in zip(targets, expected, strict=True))


@pytest.mark.parametrize("kind", [activation_task, window_task])
def test_the_offsets_of_a_batch_move_windows_onto_their_objects_as_the_network_sees_them(shards, kind) -> None:
    windows, objects = all_rows(shards, lambda w: w.boxes.coordinates), all_rows(shards, lambda w: w.objects)
    task, seen = kind(shards), set()
    for seed in range(8):
        examples = [task.example(index, random(9 * seed + index)) for index in range(len(task))]
        mirrored = np.array([example.mirrored for example in examples])[:, None]
        seen |= set(mirrored.ravel().tolist())
        # In a mirror image the window and its object lie as far from the other side.
        flip = np.array([SIZE.width, 0, SIZE.width, 0]) - [1, -1, 1, -1] * windows[:, [2, 1, 0, 3]]
        turned = np.array([SIZE.width, 0, SIZE.width, 0]) - [1, -1, 1, -1] * objects[:, [2, 1, 0, 3]]
        moved = move_boxes(
            np.where(mirrored, flip, windows).astype(np.float32), task.batch(examples).targets.offsets.numpy(), SIZE
        )
        np.testing.assert_allclose(moved, np.where(mirrored, turned, objects), atol=1e-3)
    assert seen == {False, True}
    assert (np.abs(windows - objects).max(axis=1) > 0).sum() >= 3


def hard(label: int, overlap: float) -> torch.Tensor:
    """R-CNN's rule: the object from half of it up, else background."""
    return torch.tensor([label if overlap >= 0.5 else 0])


def soft(label: int, overlap: float) -> torch.Tensor:
    """Probabilities of background and the three classes."""
    row = torch.zeros(1, 4)
    share = float(np.clip((overlap - 0.3) / 0.4, 0, 1))
    row[0, 0] += 1 - share
    row[0, label] += share
    return row


def features(kind, values) -> torch.Tensor:
    """What the stand-in sees of an example, by hand."""
    if kind is activation_task:
        return torch.from_numpy(values).float().mean(dim=(1, 2))
    blue_first = torch.from_numpy(values[..., ::-1].copy()).float() - torch.tensor(PREPROCESSING.mean)
    return blue_first.mean(dim=(0, 1)) / 100


@pytest.mark.parametrize("kind", [activation_task, window_task])
@pytest.mark.parametrize(("targets", "rule"), [(SOFT, soft), (HARD, hard)], ids=["soft", "hard"])
def test_the_loss_is_the_sum_of_torchs_cross_entropy(shards, kind, targets, rule) -> None:
    task, head = kind(shards, targets), Head()
    assert any(0.3 < overlap < 0.5 for _, overlap in truths(shards))
    examples = [task.example(index, random(index)) for index in range(len(task))]
    (name, loss), *others = task.losses(head, task.batch(examples)).items()
    total = torch.zeros(())
    for example, (label, overlap) in zip(examples, truths(shards), strict=True):
        logits = head.linear(features(kind, example.values))[None]
        total = total + functional.cross_entropy(logits, rule(label, overlap))
    torch.testing.assert_close(loss, total)
    assert (name, others) == ("softmax", [])
    loss.backward()
    assert head.linear.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", [activation_task, window_task])
def test_a_network_that_moves_boxes_learns_smooth_l1_beside_the_same_softmax(shards, kind) -> None:
    task, head = kind(shards), Head(regressed=3)
    examples = [task.example(index, random(index)) for index in range(len(task))]
    loaded = task.batch(examples)
    losses = task.losses(head, loaded)
    total = torch.zeros(())
    for example, (label, overlap), offsets in zip(examples, truths(shards), loaded.targets.offsets, strict=True):
        if label and overlap >= 0.5:
            answer = head.regressor(features(kind, example.values)).view(3, 4)[label - 1]
            total = total + functional.smooth_l1_loss(answer, offsets, reduction="sum")
    assert list(losses) == ["softmax", "boxes"]
    torch.testing.assert_close(losses["boxes"], total)
    assert float(losses["boxes"].detach()) > 0
    head.regressor = None
    assert torch.equal(task.losses(head, loaded)["softmax"], losses["softmax"])


@pytest.mark.parametrize("kind", [activation_task, window_task])
@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_parts_of_a_step_have_the_losses_and_gradients_of_the_whole(shards, kind, parts) -> None:
    task, head = kind(shards), Head(regressed=3)
    rows = [(index, task.example(index, random(index))) for index in range(len(task))]
    whole = sum(task.losses(head, batch(task)).values())
    loaded = Collate(task, parts)(rows)
    assert len(loaded.parts) == parts
    split = sum(sum(task.losses(head, part).values()) for part in loaded.parts)
    torch.testing.assert_close(split, whole)
    for one, other in zip(
        torch.autograd.grad(split, head.parameters()), torch.autograd.grad(whole, head.parameters()), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_windows_on_difficult_objects_and_background_alone_have_a_finite_loss(shards) -> None:
    # FAULTS 36
    bare = [changed(shards[0], labels=np.zeros(2, np.int64), overlaps=np.array([0.9, 0.0]))]
    losses = window_task(bare).losses(Head(regressed=3), batch(window_task(bare)))
    assert float(losses["boxes"].detach()) == 0
    assert 0 < float(losses["softmax"].detach()) < 100


def test_a_crop_is_the_warped_window_or_its_mirror_image(shards) -> None:
    task, seen = window_task(shards), []
    pixels = np.asarray(Image.open(shards[2].image.sample.path))
    expected = WARP.crops(pixels, shards[2].image.windows.boxes[1:2])[0]
    for seed in range(60):
        crop, mirrored, index = task.example(3, random(seed))
        assert np.array_equal(crop, expected[:, ::-1] if mirrored else expected)
        assert index == 3
        seen.append(mirrored)
    assert 15 < sum(seen) < 45


def test_an_example_is_a_function_of_its_number_and_generator(shards) -> None:
    task = window_task(shards)
    first = [task.example(index, random(index)).values.tobytes() for index in range(5)]
    again = [task.example(index, random(index)).values.tobytes() for index in reversed(range(5))]
    assert first == again[::-1]


@pytest.mark.parametrize("threshold", [0.7, 0.9])
def test_an_overlap_of_just_the_threshold_is_an_object(shards, threshold) -> None:
    windows = sample_windows(
        Proposals.from_source(Boxes(np.array([(0, 0, 10, threshold * 10)]), SIZE), np.zeros(1), "made up"),
        truth([(0, (0, 0, 10, 10), False)], SIZE),
        WindowSampling(positive_overlap=threshold),
        random(),
    )
    shard = shards[0]._replace(image=shards[0].image._replace(windows=windows))
    task = window_task([shard], OverlapTargets(background=threshold, object=threshold))
    targets = batch(task).targets
    assert (targets.labels.tolist(), targets.shares.tolist()) == ([1, 1], [1, 1])


def test_fingerprints_tell_images_windows_labels_overlaps_and_objects_apart(shards) -> None:
    base = activation_task(shards).fingerprint()
    assert window_task(shards).fingerprint() == base == activation_task(list(shards)).fingerprint()
    first = shards[0]
    sample, windows, _ = first.image
    others = [
        shards[::-1],
        shards[:2],
        [changed(first, labels=windows.labels + 1), *shards[1:]],
        [changed(first, overlaps=windows.overlaps / 2), *shards[1:]],
        [changed(first, objects=windows.objects + 1), *shards[1:]],
        [first._replace(image=first.image._replace(digest="other pixels or boxes")), *shards[1:]],
        [first._replace(image=ImageWindows(replace(sample, image_id="other"), windows, "digest")), *shards[1:]],
    ]
    found = {activation_task(other).fingerprint() for other in others}
    assert len(found | {base}) == len(others) + 1
