"""What the tasks teach: a small network that learns from them moves windows it never saw onto their objects."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_voc import truth
from torch import nn

from googlenet_rcnn.backbone.googlenet import Logits
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.backbone.training import TrainSettings, train
from googlenet_rcnn.core.boxes import clip, intersection_over_union
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Sample, Size
from googlenet_rcnn.detector.activations import ActivationCache
from googlenet_rcnn.detector.box_regression import move_boxes, offsets_to
from googlenet_rcnn.detector.sampling import assemble_windows
from googlenet_rcnn.detector.targets import OverlapTargets
from googlenet_rcnn.detector.tasks import ActivationTask, WindowTask
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.detector.windows import ImageWindows

SIZE, WARP, PREPROCESSING, TARGETS = Size(60, 80), Warp(32, 4), Preprocessing(), OverlapTargets()
SETTINGS = TrainSettings(epochs=8, batch=32, rate=0.02, average=0.9, clip=10.0)
COLOURS = ((220, 40, 40), (40, 220, 40))


class Small(nn.Module):
    """Two convolutions and two linear layers: classes, and offsets for each of two."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 8, 5, 2, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten()
        )
        self.classifier, self.regressor = nn.Linear(1024, 3), nn.Linear(1024, 8)
        nn.init.normal_(self.regressor.weight, std=0.001)

    def upper(self, x):
        features = self.trunk(x / 100)
        return Logits(self.classifier(features), offsets=self.regressor(features))

    forward = upper


def jittered(box, random, count: int) -> np.ndarray:
    """Boxes about as large as an object and not far from it."""
    x1, y1, x2, y2 = box
    sides = np.array([x2 - x1, y2 - y1] * 2)
    rows = clip((np.array(box) + random.uniform(-0.25, 0.25, (count, 4)) * sides).astype(np.float32), *SIZE)
    return rows


def made(folder, seed: int, count: int) -> list[ImageWindows]:
    """Pictures of one red or green thing each on grey noise, with windows around it, some to be mirrored."""
    random, found = np.random.default_rng(seed), []
    for number in range(count):
        pixels = np.repeat(random.integers(90, 160, (*SIZE, 1), dtype=np.uint8), 3, axis=2)
        x, y = random.integers(0, 45), random.integers(0, 30)
        box = (x, y, x + random.integers(15, 35), y + random.integers(15, 30))
        pixels[box[1] : box[3], box[0] : box[2]] = COLOURS[number % 2]
        path = folder / f"{seed}-{number}.png"
        Image.fromarray(pixels).save(path)
        annotation = truth([(number % 2, box, False)], SIZE)
        windows = assemble_windows(jittered(box, random, 11), annotation, random.random(12) < 0.5)
        found.append(ImageWindows(Sample(path.stem, path, annotation), windows, path.stem))
    return found


def answers(module, image: ImageWindows) -> np.ndarray:
    """The offsets [N,4] that the network gives the windows of an image for the class of their object."""
    crops = WARP.crops(read_image(image.sample.path).pixels, image.windows.boxes)
    with torch.inference_mode():
        offsets = module(to_input(crops, PREPROCESSING)).offsets.view(len(crops), 2, 4).numpy()
    return offsets[np.arange(len(crops)), image.windows.labels - 1]


def learned(task, folder) -> Small:
    module = Small()
    module.load_state_dict(train(module, task, SETTINGS, folder))
    return module.eval()


def window_task(images, folder):
    return WindowTask(images, TARGETS, WARP, PREPROCESSING)


def activation_task(images, folder):
    """As at the head stage, where windows were mirrored when the maps were computed; these maps are the crops."""
    cache = ActivationCache(folder / "cache", lambda x: x, PREPROCESSING, WARP, "windows", "weights")
    return ActivationTask(list(cache.build(images)), TARGETS)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", [window_task, activation_task])
def test_windows_move_onto_their_objects(tmp_path, kind) -> None:
    module = learned(kind(made(tmp_path, 0, 30), tmp_path), tmp_path / "run")
    images = made(tmp_path, 1, 15)
    offsets = np.concatenate([answers(module, image) for image in images])
    windows = np.concatenate([image.windows.boxes.coordinates for image in images])
    objects = np.concatenate([image.windows.objects for image in images])
    rows = (windows, move_boxes(windows, offsets, SIZE))
    before, after = (np.diagonal(intersection_over_union(each, objects)) for each in rows)
    loose = before < 0.99  # the objects themselves are among the windows: they can only lose
    assert after[loose].mean() > before[loose].mean() + 0.15
    assert (after[loose] > before[loose]).mean() > 0.9
    assert after[~loose].mean() > 0.8
    # Each of the four is learned: one that were wrong in mirror images would average to nothing.
    wanted = offsets_to(objects, windows)
    assert min(np.corrcoef(offsets[:, column], wanted[:, column])[0, 1] for column in range(4)) > 0.8
