"""From a trunk and annotated images to a MultiBox: the trunk is frozen, so each view's map is computed once."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from googlenet_rcnn.backbone.activation_shards import (
    ActivationShards,
    CropSource,
    number_rows,
    read_activation,
    settings_key,
)
from googlenet_rcnn.backbone.architectures import Network, identity
from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.run_origin import settle_origin
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train
from googlenet_rcnn.backbone.trunk import NOT_TRUNK
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.samples import content_digest, sample_pixels, sample_random, sample_truth
from googlenet_rcnn.core.types import Dataset, Sample

from .multibox_arrays import HeadSettings
from .multibox_head import MultiBoxHead
from .multibox_loss import multibox_loss
from .priors import kmeans_priors
from .views import View, ViewSampling, sample_views, view_objects, view_pixels

__all__ = ["ImageViews", "MultiBoxRecipe", "MultiBoxTraining", "ViewTask"]


class MultiBoxRecipe(Settings):
    """All that decides how a MultiBox is trained."""

    seed: int = 0
    priors: int = Field(default=200, gt=0)
    prior_emphasis: float = Field(default=1.5, ge=0)  # small boxes weigh more among the priors ...
    emphasis: float = Field(default=1.0, ge=0)  # ... and in the location loss: by their side to minus this power
    alpha: float = Field(default=150.0, gt=0)  # weight of the location loss
    head: HeadSettings = HeadSettings()
    views: ViewSampling = ViewSampling()
    train: TrainSettings = TrainSettings(
        epochs=3.0, batch=64, rate=0.003, warmup=100, clip=20.0, average=0.99, bias_rate=1.0
    )


class ImageViews(NamedTuple):
    """The views of one sample, what is in them, and a hash of the image and the views."""

    sample: Sample
    views: tuple[View, ...]
    objects: tuple[NDArray[np.float32], ...]
    digest: str

    @classmethod
    def draw(cls, sample: Sample, sampling: ViewSampling, seed: int) -> "ImageViews":
        """The views of a sample with a truth; equal seeds and image ids give equal views."""
        truth = sample_truth(sample)
        views = tuple(sample_views(truth.size, sampling, sample_random(sample, seed)))
        objects = tuple(view_objects(truth, view, sampling.kept) for view in views)
        source = f"{content_digest(sample)} {views}"
        return cls(sample, views, objects, hashlib.sha256(source.encode()).hexdigest())

    def crops(self, side: int, fill: tuple[int, int, int]) -> NDArray[np.uint8]:
        """The views [V,side,side,3]; DataError (SIZE_MISMATCH) if the image is not as large as its annotation says."""
        pixels = sample_pixels(self.sample)
        return np.stack([view_pixels(pixels, view, side, fill) for view in self.views])


class ViewBatch(NamedTuple):
    """Maps float16 [N,832,14,14] of views and the boxes [M,4] of the objects in each."""

    maps: Tensor
    objects: list[Tensor]


class ViewTask:
    """MultiBox's loss on cached maps of views."""

    def __init__(
        self, images: Sequence[ImageViews], paths: Sequence[Path], alpha: float, emphasis: float = 0.0
    ) -> None:
        self.images, self.paths, self.alpha, self.emphasis = images, paths, alpha, emphasis
        self.image_of, self.row_of = number_rows([len(image.views) for image in images])

    def __len__(self) -> int:
        return len(self.image_of)

    def fingerprint(self) -> str:
        """Hash of the images, their views and what is in those."""
        total = hashlib.sha256()
        for image in self.images:
            total.update(image.digest.encode())
            for objects in image.objects:
                total.update(objects.tobytes())
        return total.hexdigest()[:16]

    def identity(self, index: int) -> str:
        """Image id and row of a view."""
        return f"{self.images[self.image_of[index]].sample.image_id}#{self.row_of[index]}"

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """The map [832,14,14] of a view and the boxes of its objects."""
        image, row = int(self.image_of[index]), int(self.row_of[index])
        return read_activation(self.paths[image], row), self.images[image].objects[row]

    def batch(self, examples: list[tuple[NDArray[np.float16], NDArray[np.float32]]]) -> ViewBatch:
        """The examples with their maps in one tensor."""
        maps = torch.from_numpy(np.stack([activations for activations, _ in examples]))
        return ViewBatch(maps, [torch.from_numpy(objects) for _, objects in examples])

    def losses(self, module: nn.Module, batch: ViewBatch) -> dict[str, Tensor]:
        """Location and confidence losses summed over the batch."""
        objects = [boxes.numpy() for boxes in batch.objects]
        return multibox_loss(module(batch.maps), objects, self.alpha, self.emphasis)


@dataclass(frozen=True, eq=False)
class MultiBoxTraining:
    """One training run: `out` receives multibox.safetensors in half precision.

    The file holds the head, and the trunk too unless `shipped_trunk`: one that comes with the package is not
    written a second time.
    """

    recipe: MultiBoxRecipe
    trunk: Network
    trunk_card: Card
    shipped_trunk: bool
    out: Path
    cache: Path
    processes: Processes
    say: Callable[[str], None]
    report: Callable[[Progress], None]
    device: str = "cpu"

    def run(self, dataset: Dataset, data: str, resume: Resume) -> Path:
        """Trains on every exhaustively annotated sample of the data set and returns the path of the weights.

        Where objects may be without annotation, confidence in them would be punished.
        """
        if not self.shipped_trunk:
            self.trunk.half().float()  # the head learns on what will be stored
        trunk = identity(self.trunk, without=NOT_TRUNK)
        samples = [sample for sample in dataset.samples if sample.exhaustive]
        images = [ImageViews.draw(sample, self.recipe.views, self.recipe.seed) for sample in samples]
        # Priors are for whole images, and mirror images count: MultiBox should know left from right no better.
        boxes = np.concatenate(
            [np.zeros((0, 4), np.float32), *(image.objects[row] for image in images for row in (0, 1))]
        )
        priors = kmeans_priors(boxes, self.recipe.priors, self.recipe.prior_emphasis, self.recipe.seed)
        origin = self.recipe.model_dump(mode="json", exclude={"train"}) | {"trunk": trunk}
        settle_origin(self.out, origin, resume, self.processes)
        paths = self.processes.share("maps", images, partial(self._maps, trunk), self.say)
        torch.manual_seed(self.recipe.seed)
        head = MultiBoxHead(torch.from_numpy(priors), self.recipe.head).to(self.device)
        task = ViewTask(images, paths, self.recipe.alpha, self.recipe.emphasis)
        state = train(
            head, task, self.recipe.train, self.out / "head",
            seed=self.recipe.seed,
            resume=resume,
            processes=self.processes,
            report=self.report,
            say=self.say,
            data=task.fingerprint(),
            device=self.device.partition(":")[0],
        )  # fmt: skip
        path = self.out / "multibox.safetensors"
        if self.processes.first:
            tensors = {f"head.{name}": tensor for name, tensor in state.items()}
            if not self.shipped_trunk:
                own = self.trunk.state_dict().items()
                tensors |= {f"trunk.{name}": tensor for name, tensor in own if not name.startswith(NOT_TRUNK)}
            save_weights(path, tensors, self._card(trunk, data), half=True)
        self.processes.wait()
        return path

    def _maps(self, trunk: str, images: Sequence[ImageViews]) -> Iterator[Path]:
        card = self.trunk_card
        key = settings_key({"trunk": trunk, "preprocessing": card.preprocessing.model_dump(), "side": card.warp_side})
        crops = [partial(image.crops, card.warp_side, card.preprocessing.fill) for image in images]
        sources = [CropSource(i.sample.image_id, i.digest, crop) for i, crop in zip(images, crops, strict=True)]
        network = self.trunk.to(self.device)

        def look(crops: NDArray[np.uint8]) -> Tensor:
            return run_batches(network.trunk, crops, card.preprocessing, device=self.device)

        return ActivationShards(self.cache / f"maps-{key}", look).build(sources)

    def _card(self, trunk: str, data: str) -> Card:
        start = self.trunk_card
        return Card(
            arch=start.arch,
            task="multibox",
            labels=start.labels,
            preprocessing=start.preprocessing,
            warp_side=start.warp_side,
            warp_context=start.warp_context,
            trunk=trunk,
            recipe=self.recipe.model_dump(mode="json"),
            data=data,
            seed=self.recipe.seed,
            versions={name: version(name) for name in ("torch", "numpy", "scikit-learn", "googlenet-rcnn")},
            licence=start.licence,
            provenance=f"{start.provenance}; MultiBox head trained by googlenet-rcnn on {data}",
        )
