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
from googlenet_rcnn.core.types import Boxes, Sample, Size
from googlenet_rcnn.detector.activations import Shard
from googlenet_rcnn.detector.sampling import Windows
from googlenet_rcnn.detector.tasks import ActivationTask, WindowTask
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows

SIZE, PREPROCESSING, WARP = Size(60, 80), Preprocessing(), Warp(32, 4)


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
    for number, count in enumerate((2, 0, 3)):
        random = np.random.default_rng(number)
        image = tmp_path / f"{number}.png"
        Image.fromarray(np.roll(photo(*SIZE), number * 9, axis=0)).save(image)
        corner = random.integers(0, 30, (count, 2))
        boxes = np.concatenate([corner, corner + 20], axis=1).astype(np.float32).reshape(-1, 4)
        labels = random.integers(0, 4, count)
        save_file(
            {"activations": random.normal(size=(count, 3, 7, 7)).astype(np.float16)},
            tmp_path / f"{number}.safetensors",
        )
        sample = Sample(f"image{number}", image, truth([], SIZE))
        windows = Windows(Boxes(boxes, SIZE), labels, np.zeros(count, dtype=bool))
        made.append(Shard(tmp_path / f"{number}.safetensors", ImageWindows(sample, windows)))
    return made


def changed(shard: Shard, **windows) -> Shard:
    return shard._replace(image=shard.image._replace(windows=shard.image.windows._replace(**windows)))


def window_task(shards) -> WindowTask:
    return WindowTask([shard.image for shard in shards], WARP, PREPROCESSING)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_windows_are_numbered_through_the_shards(shards) -> None:
    task = ActivationTask(shards)
    assert len(task) == 5
    names = [task.identity(index) for index in range(5)]
    assert names == ["image0#0", "image0#1", "image2#0", "image2#1", "image2#2"]


def test_nothing_to_learn_from(shards) -> None:
    assert len(ActivationTask([])) == len(ActivationTask(shards[1:2])) == 0


def test_an_example_is_its_row_of_the_shard(shards) -> None:
    task = ActivationTask(shards)
    for index, (shard, row) in enumerate([(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]):
        activations, label = task.example(index, random())
        assert np.array_equal(activations, load_file(shards[shard].path)["activations"][row])
        assert label == shards[shard].image.windows.labels[row]


@pytest.mark.parametrize("kind", [ActivationTask, window_task])
def test_the_loss_is_the_sum_of_torchs_cross_entropy(shards, kind) -> None:
    task, head = kind(shards), Head()
    examples = [task.example(index, random(index)) for index in range(len(task))]
    (name, loss), *others = task.losses(head, examples).items()
    total = torch.zeros(())
    for values, label in examples:
        if kind is ActivationTask:
            logits = head.upper(torch.from_numpy(values).float()[None])
        else:
            blue_first = torch.from_numpy(values[..., ::-1].copy()).permute(2, 0, 1)[None].float()
            logits = head(blue_first - torch.tensor(PREPROCESSING.mean)[:, None, None]).main
        total = total + functional.cross_entropy(logits, torch.tensor([label]))
    torch.testing.assert_close(loss, total)
    assert (name, others) == ("softmax", [])
    loss.backward()
    assert head.linear.weight.grad.abs().sum() > 0


def test_a_crop_is_the_warped_window_or_its_mirror_image(shards) -> None:
    task, seen = window_task(shards), []
    pixels = np.asarray(Image.open(shards[2].image.sample.path))
    expected = WARP.crops(pixels, shards[2].image.windows.boxes[1:2])[0]
    for seed in range(60):
        crop, label = task.example(3, random(seed))
        mirrored = np.array_equal(crop, expected[:, ::-1])
        assert mirrored or np.array_equal(crop, expected)
        assert label == shards[2].image.windows.labels[1]
        seen.append(mirrored)
    assert 15 < sum(seen) < 45


def test_an_example_is_a_function_of_its_number_and_generator(shards) -> None:
    task = window_task(shards)
    first = [task.example(index, random(index))[0].tobytes() for index in range(5)]
    again = [task.example(index, random(index))[0].tobytes() for index in reversed(range(5))]
    assert first == again[::-1]


def test_fingerprints_tell_images_windows_and_labels_apart(shards) -> None:
    base = ActivationTask(shards).fingerprint()
    assert window_task(shards).fingerprint() == base == ActivationTask(list(shards)).fingerprint()
    first = shards[0]
    sample, windows = first.image
    others = [
        shards[::-1],
        shards[:2],
        [changed(first, labels=windows.labels + 1), *shards[1:]],
        [changed(first, boxes=Boxes(windows.boxes.coordinates + 1, SIZE)), *shards[1:]],
        [first._replace(image=ImageWindows(replace(sample, image_id="other"), windows)), *shards[1:]],
    ]
    found = {ActivationTask(other).fingerprint() for other in others}
    assert len(found | {base}) == len(others) + 1
