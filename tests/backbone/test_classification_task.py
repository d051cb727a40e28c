"""The loss of a classifier with its auxiliary heads, and the examples it learns from."""

import numpy as np
import pytest
import torch
from hostile import photo
from PIL import Image
from torch import nn

from googlenet_rcnn.backbone.classification_task import ClassificationTask, LabelledCrops
from googlenet_rcnn.backbone.crop_sampling import CropSampling, sample_crop
from googlenet_rcnn.backbone.googlenet import Logits
from googlenet_rcnn.core.card import Preprocessing

SAMPLING = CropSampling()


class Told(nn.Module):
    """Says what it was told to, and keeps what it saw."""

    def __init__(self, *logits) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.logits = [None if one is None else torch.tensor(one, dtype=torch.float32) for one in logits]

    def forward(self, x):
        self.seen = x
        return Logits(*self.logits)


@pytest.fixture
def task(tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(np.roll(photo(), number)).save(paths[-1])
    return ClassificationTask(paths, np.array([0, 1, 1]), SAMPLING, Preprocessing(), 0.3)


def crops(labels):
    return LabelledCrops(torch.zeros(len(labels), 224, 224, 3, dtype=torch.uint8), torch.tensor(labels))


def entropy(logits, label):
    powers = np.exp(np.array(logits) - max(logits))
    return -np.log(powers[label] / powers.sum())


MAIN, FIRST, SECOND = [[2.0, 0.0], [0.0, 1.0]], [[0.0, 3.0], [1.0, 1.0]], [[0.5, 0.0], [0.0, -0.5]]


def test_auxiliary_heads_count_for_three_tenths_each(task) -> None:
    """Section 5: "their loss gets added to the total loss of the network with a discount weight"."""
    losses = task.losses(Told(MAIN, FIRST, SECOND), crops([0, 1]))
    assert losses.keys() == {"main", "aux4a", "aux4d"}
    for name, logits, weight in (("main", MAIN, 1), ("aux4a", FIRST, 0.3), ("aux4d", SECOND, 0.3)):
        wanted = weight * (entropy(logits[0], 0) + entropy(logits[1], 1))
        assert float(losses[name]) == pytest.approx(wanted, rel=1e-5)


def test_without_heads_there_is_the_main_loss_alone(task) -> None:
    assert task.losses(Told(MAIN), crops([0, 1])).keys() == {"main"}


def test_smoothed_labels_leave_something_to_the_others(task) -> None:
    task.smoothing = 0.2
    loss = float(task.losses(Told(MAIN), crops([0, 1]))["main"])
    wanted = sum(
        0.9 * entropy(row, label) + 0.1 * entropy(row, 1 - label) for row, label in zip(MAIN, (0, 1), strict=True)
    )
    assert loss == pytest.approx(wanted, rel=1e-5)


def test_the_network_sees_crops_as_the_card_says(task) -> None:
    module = Told(MAIN)
    task.losses(module, crops([0, 1]))
    assert module.seen.shape == (2, 3, 224, 224)
    np.testing.assert_allclose(module.seen[0, :, 0, 0], [-104, -117, -123])


def test_examples_are_random_crops_with_their_labels(task) -> None:
    crop, label = task.example(1, np.random.default_rng(9))
    assert label == 1
    image = np.asarray(Image.open(task.paths[1]))
    assert np.array_equal(crop, sample_crop(image, 224, SAMPLING, np.random.default_rng(9)))
    batch = task.batch([task.example(row, np.random.default_rng(row)) for row in range(3)])
    assert (batch.crops.shape, batch.crops.dtype) == ((3, 224, 224, 3), torch.uint8)
    assert batch.labels.tolist() == [0, 1, 1]


def test_it_is_known_by_its_images_and_labels_wherever_they_lie(task, tmp_path) -> None:
    assert len(task) == 3
    assert task.identity(2) == str(tmp_path / "2.png")
    before = task.fingerprint()
    again = ClassificationTask(task.paths, task.labels, SAMPLING, Preprocessing())
    assert again.fingerprint() == before
    again.labels = np.array([1, 1, 1])
    assert again.fingerprint() != before
    moved = [tmp_path / "elsewhere" / tmp_path.name / path.name for path in task.paths]
    assert ClassificationTask(moved, task.labels, SAMPLING, Preprocessing()).fingerprint() == before
    renamed = [*task.paths[:2], tmp_path / "3.png"]
    assert ClassificationTask(renamed, task.labels, SAMPLING, Preprocessing()).fingerprint() != before
