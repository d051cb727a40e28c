"""What MultiBox learns from: the views of each image, the task that numbers them, and when they count as others."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file
from tiny_multibox import write_pictures

from googlenet_rcnn.proposals.multibox_head import MultiBoxOutput
from googlenet_rcnn.proposals.multibox_loss import multibox_loss
from googlenet_rcnn.proposals.multibox_training import ImageViews, ViewTask
from googlenet_rcnn.proposals.views import ViewSampling, view_objects

pytestmark = pytest.mark.usefixtures("one_thread")

SAMPLING = ViewSampling(crops=1)


@pytest.fixture
def dataset(tmp_path):
    return write_pictures(tmp_path / "pictures")


def drawn(dataset, sampling: ViewSampling = SAMPLING, seed: int = 0) -> list[ImageViews]:
    return [ImageViews.draw(sample, sampling, seed) for sample in dataset.samples]


def test_views_are_drawn_for_each_image_by_its_id_and_the_seed(dataset) -> None:
    first = drawn(dataset)
    assert [image.views for image in drawn(dataset)] == [image.views for image in first]
    assert len({image.views[2] for image in first}) == 4
    assert [image.views for image in drawn(dataset, seed=1)] != [image.views for image in first]
    alone = ImageViews.draw(dataset.samples[2], SAMPLING, 0)
    assert (alone.views, alone.digest) == (first[2].views, first[2].digest)
    for sample, image in zip(dataset.samples, first, strict=True):
        for view, objects in zip(image.views, image.objects, strict=True):
            assert np.array_equal(objects, view_objects(sample.truth, view, SAMPLING.kept))
    assert first[0].crops(20, (0, 0, 0)).shape == (3, 20, 20, 3)


def test_the_digest_tells_images_and_views_apart(dataset) -> None:
    before = drawn(dataset)
    assert len({image.digest for image in before}) == 4
    assert all(a.digest != b.digest for a, b in zip(before, drawn(dataset, seed=1), strict=True))
    Image.new("RGB", (80, 60)).save(dataset.samples[1].path)
    after = drawn(dataset)
    assert [a.digest == b.digest for a, b in zip(before, after, strict=True)] == [True, False, True, True]
    dataset.samples[1].path.unlink()
    assert drawn(dataset)[1].digest not in {before[1].digest, after[1].digest}


@pytest.fixture
def task(dataset, tmp_path):
    """A task on made-up maps."""
    paths = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for number, path in enumerate(paths):
        values = np.random.default_rng(number).normal(size=(3, 2, 4, 4))
        save_file({"activations": values.astype(np.float16)}, path)
    return ViewTask(drawn(dataset), paths, alpha=7.0, emphasis=1.0)


def test_views_are_numbered_through_the_images(task) -> None:
    assert len(task) == 12
    assert [task.identity(index) for index in (0, 2, 3, 11)] == ["a/0#0", "a/0#2", "a/1#0", "a/3#2"]
    for index in range(12):
        maps, objects = task.example(index, np.random.default_rng(0))
        assert np.array_equal(maps, load_file(task.paths[index // 3])["activations"][index % 3])
        assert np.array_equal(objects, task.images[index // 3].objects[index % 3])
    assert len(ViewTask([], [], 1.0)) == 0


def test_the_fingerprint_tells_views_objects_and_pixels_apart(task) -> None:
    images = task.images
    first = images[0]
    others = [
        images[::-1],
        images[:3],
        [first._replace(digest="other pixels or views"), *images[1:]],
        [first._replace(objects=(first.objects[0] / 2, *first.objects[1:])), *images[1:]],
        [first._replace(objects=(first.objects[0][:0], *first.objects[1:])), *images[1:]],
    ]
    found = {ViewTask(each, task.paths, 1.0).fingerprint() for each in (images, list(images), *others)}
    assert len(found) == 1 + len(others)


def test_the_loss_is_multiboxs_on_the_maps_as_stored(task) -> None:
    seen = []

    def head(maps):
        seen.append(maps)
        generator = torch.Generator().manual_seed(0)
        return MultiBoxOutput(torch.rand(len(maps), 6, 4, generator=generator), torch.zeros(len(maps), 6))

    examples = [task.example(index, np.random.default_rng(0)) for index in (0, 7, 8)]
    losses = task.losses(head, task.batch(examples))
    assert np.array_equal(seen[0].numpy(), np.stack([maps for maps, _ in examples]))
    expected = multibox_loss(head(seen[0]), [objects for _, objects in examples], 7.0, 1.0)
    assert {name: float(value) for name, value in losses.items()} == {n: float(v) for n, v in expected.items()}
    assert float(losses["location"]) > 0


def test_a_batch_keeps_maps_and_the_objects_of_each_view(task) -> None:
    examples = [task.example(index, np.random.default_rng(0)) for index in range(12)]
    examples.append((examples[0][0], np.zeros((0, 4), np.float32)))  # a view that shows no object
    maps, objects = task.batch(examples)
    assert maps.dtype == torch.float16
    assert np.array_equal(maps.numpy(), np.stack([values for values, _ in examples]))
    assert [boxes.tolist() for boxes in objects] == [boxes.tolist() for _, boxes in examples]
    assert len({len(boxes) for boxes in objects}) > 1
