"""What a detector learns from: losses against torch's own, examples, numbering, fingerprints."""

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
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.types import Boxes, Proposals, Sample, Size
from googlenet_rcnn.detector.activations import Shard
from googlenet_rcnn.detector.sampling import Windows, WindowSampling, sample_windows
from googlenet_rcnn.detector.targets import OverlapTargets, Target
from googlenet_rcnn.detector.tasks import ActivationTask, WindowTask
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows

SIZE, PREPROCESSING, WARP = Size(60, 80), Preprocessing(), Warp(32, 4)
SOFT, HARD = OverlapTargets(background=0.3, object=0.7), OverlapTargets(background=0.5, object=0.5)


class Head(nn.Module):
    """Linear in the mean colour or activation: a stand-in with both entrances of a network."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def upper(self, x):
        return self.linear(x.mean(dim=(2, 3)))

    def forward(self, x):
        return Logits(self.upper(x / 100))


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
        save_file(
            {"activations": random.normal(size=(count, 3, 7, 7)).astype(np.float16)},
            tmp_path / f"{number}.safetensors",
        )
        sample = Sample(f"image{number}", image, truth([], SIZE))
        windows = Windows(Boxes(boxes, SIZE), labels, overlaps, np.zeros(count, dtype=bool))
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
        activations, target = task.example(index, random())
        assert np.array_equal(activations, load_file(shards[shard].path)["activations"][row])
        windows = shards[shard].image.windows
        assert target == SOFT.target(int(windows.labels[row]), float(windows.overlaps[row]))
        assert isinstance(target, Target)


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


@pytest.mark.parametrize("kind", [activation_task, window_task])
@pytest.mark.parametrize(("targets", "rule"), [(SOFT, soft), (HARD, hard)], ids=["soft", "hard"])
def test_the_loss_is_the_sum_of_torchs_cross_entropy(shards, kind, targets, rule) -> None:
    task, head = kind(shards, targets), Head()
    assert any(0.3 < overlap < 0.5 for _, overlap in truths(shards))
    examples = [task.example(index, random(index)) for index in range(len(task))]
    (name, loss), *others = task.losses(head, examples).items()
    total = torch.zeros(())
    for (values, _), (label, overlap) in zip(examples, truths(shards), strict=True):
        if kind is activation_task:
            logits = head.upper(torch.from_numpy(values).float()[None])
        else:
            blue_first = torch.from_numpy(values[..., ::-1].copy()).permute(2, 0, 1)[None].float()
            logits = head(blue_first - torch.tensor(PREPROCESSING.mean)[:, None, None]).main
        total = total + functional.cross_entropy(logits, rule(label, overlap))
    torch.testing.assert_close(loss, total)
    assert (name, others) == ("softmax", [])
    loss.backward()
    assert head.linear.weight.grad.abs().sum() > 0


def test_a_crop_is_the_warped_window_or_its_mirror_image(shards) -> None:
    task, seen = window_task(shards), []
    pixels = np.asarray(Image.open(shards[2].image.sample.path))
    expected = WARP.crops(pixels, shards[2].image.windows.boxes[1:2])[0]
    for seed in range(60):
        crop, target = task.example(3, random(seed))
        mirrored = np.array_equal(crop, expected[:, ::-1])
        assert mirrored or np.array_equal(crop, expected)
        assert target == SOFT.target(*truths(shards)[3])
        seen.append(mirrored)
    assert 15 < sum(seen) < 45


def test_an_example_is_a_function_of_its_number_and_generator(shards) -> None:
    task = window_task(shards)
    first = [task.example(index, random(index))[0].tobytes() for index in range(5)]
    again = [task.example(index, random(index))[0].tobytes() for index in reversed(range(5))]
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
    assert [task.example(index, random())[1] for index in range(2)] == [(1, 1), (1, 1)]


def test_fingerprints_tell_images_windows_labels_and_overlaps_apart(shards) -> None:
    base = activation_task(shards).fingerprint()
    assert window_task(shards).fingerprint() == base == activation_task(list(shards)).fingerprint()
    first = shards[0]
    sample, windows, _ = first.image
    others = [
        shards[::-1],
        shards[:2],
        [changed(first, labels=windows.labels + 1), *shards[1:]],
        [changed(first, overlaps=windows.overlaps / 2), *shards[1:]],
        [first._replace(image=first.image._replace(digest="other pixels or boxes")), *shards[1:]],
        [first._replace(image=ImageWindows(replace(sample, image_id="other"), windows, "digest")), *shards[1:]],
    ]
    found = {activation_task(other).fingerprint() for other in others}
    assert len(found | {base}) == len(others) + 1
