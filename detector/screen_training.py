"""How a detector learns to screen: its trunk is frozen, so each image's map is computed once and kept."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from googlenet_rcnn.backbone.activation_shards import ActivationShards, CropSource, read_activation, settings_key
from googlenet_rcnn.backbone.architectures import Network, identity
from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train
from googlenet_rcnn.backbone.trunk import NOT_TRUNK
from googlenet_rcnn.backbone.whole_image import BoxLooks, squash
from googlenet_rcnn.core.card import SCREEN_PREFIX, Card
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.samples import content_digest, sample_pixels
from googlenet_rcnn.core.types import Boxes, Dataset, Proposer, Sample

from .cascade import CascadeSettings
from .sampling import WindowSampling
from .screening import ScreenHeadSettings
from .screening_head import ScreenHead
from .targets import OverlapTargets, Targets, overlap_loss
from .windows import ImageWindows, WindowCache

__all__ = ["ScreenBatch", "ScreenRecipe", "ScreenTask", "ScreenTraining", "Screened"]


class ScreenRecipe(Settings):
    """All that decides how the screening head is trained; no epochs, no head."""

    head: ScreenHeadSettings = ScreenHeadSettings()
    windows: WindowSampling = WindowSampling(positives=48, hard=64, background=48, mirror=0.0)
    boxes: int = Field(default=64, gt=0)  # of the windows of an image, drawn anew each time it is seen
    vote: float = Field(default=0.4, ge=0, le=1)  # of screening in the scores of what it lets through
    train: TrainSettings = TrainSettings(epochs=12.0, batch=16, rate=0.05, warmup=50, clip=10.0, average=0.99)


class ScreenExample(NamedTuple):
    """The map float16 [832,H,W] of an image, looks of n of its windows, the number of the image and their rows."""

    map: NDArray[np.float16]
    looks: BoxLooks
    image: int
    windows: NDArray[np.int64]


class ScreenBatch(NamedTuple):
    """Maps float16 [N,832,H,W], looks [N,n,...] of n windows in each, and the windows' targets, N*n in a row."""

    maps: Tensor
    columns: Tensor
    rows: Tensor
    geometry: Tensor
    targets: Targets


class ScreenTask:
    """The loss of screening on cached maps; an example is an image, mirrored at random."""

    def __init__(
        self, images: Sequence[ImageWindows], paths: Sequence[Path], recipe: ScreenRecipe, targets: OverlapTargets
    ) -> None:
        self.images, self.paths, self.recipe, self.targets = images, paths, recipe, targets

    def __len__(self) -> int:
        return len(self.images)

    def fingerprint(self) -> str:
        """Hash of the images, their windows and what those show."""
        total = hashlib.sha256()
        for sample, windows, digest in self.images:
            total.update(f"{sample.image_id} {digest}".encode())
            total.update(windows.labels.tobytes())
            total.update(windows.overlaps.tobytes())
        return total.hexdigest()[:16]

    def identity(self, index: int) -> str:
        """Image id."""
        return self.images[index].sample.image_id

    def example(self, index: int, random: np.random.Generator) -> ScreenExample:
        """The map of an image and how some of its windows read it.

        A mirror image has, nearly, the mirrored map; the pooling of the trunk is not quite symmetric.
        """
        boxes = self.images[index].windows.boxes
        rows = random.choice(len(boxes), self.recipe.boxes, replace=len(boxes) < self.recipe.boxes)
        map_, chosen = read_activation(self.paths[index], 0), boxes.coordinates[rows].copy()
        if random.random() < 0.5:
            map_ = map_[:, :, ::-1]
            chosen[:, [0, 2]] = boxes.size.width - chosen[:, [2, 0]]
        return ScreenExample(map_, self.recipe.head.looks(Boxes(chosen, boxes.size)), index, rows)

    def batch(self, examples: list[ScreenExample]) -> ScreenBatch:
        """The examples as tensors, with their targets."""
        windows = [(self.images[one.image].windows, one.windows) for one in examples]
        labels = np.concatenate([all_.labels[rows] for all_, rows in windows])
        overlaps = np.concatenate([all_.overlaps[rows] for all_, rows in windows])
        columns, rows, geometry = (
            torch.from_numpy(np.stack(part)) for part in zip(*(one.looks for one in examples), strict=True)
        )
        return ScreenBatch(
            torch.from_numpy(np.stack([one.map for one in examples])),
            columns,
            rows,
            geometry,
            self.targets.targets(labels, overlaps, np.zeros((len(labels), 4), np.float32)),
        )

    def losses(self, module: nn.Module, batch: ScreenBatch) -> dict[str, Tensor]:
        """Cross-entropy of a window, on average over those of an image, summed over the images."""
        device = next(module.parameters()).device
        maps, *looks = (part.to(device, non_blocking=True) for part in batch[:4])
        logits = module(maps, *looks).flatten(0, 1)
        return {"screen": overlap_loss(logits, batch.targets.to(device)) / self.recipe.boxes}


class Screened(NamedTuple):
    """All tensors of a detector with a screening head, and the Card that tells of it."""

    tensors: dict[str, Tensor]
    card: Card


@dataclass(frozen=True, eq=False)
class ScreenTraining:
    """Trains the screening head of a detector's network, which stays as it is."""

    recipe: ScreenRecipe
    targets: OverlapTargets
    network: Network
    card: Card
    seed: int
    out: Path
    cache: Path
    proposer: Proposer
    processes: Processes
    say: Callable[[str], None]
    report: Callable[[Progress], None]
    device: str = "cpu"

    def run(self, dataset: Dataset, data: str, resume: Resume) -> Screened:
        """Trains on every exhaustively annotated sample of the data set, called `data`; the cascade is the default."""
        # The head learns to tell objects from the rest of an image, so all objects must be known.
        samples = [sample for sample in dataset.samples if sample.truth is not None and sample.exhaustive]
        source = WindowCache(self.cache, self.proposer, self.recipe.windows, self.seed)
        windows = [
            image
            for image in self.processes.share("screening windows", samples, source.build, self.say)
            if len(image.windows.labels)
        ]
        paths = self.processes.share("maps", windows, self._maps, self.say)
        task = ScreenTask(windows, paths, self.recipe, self.targets)
        torch.manual_seed(self.seed)
        head = ScreenHead(self.card.classes, self.recipe.head).to(self.device)
        state = train(
            head, task, self.recipe.train, self.out,
            seed=self.seed,
            resume=resume,
            processes=self.processes,
            report=self.report,
            say=self.say,
            data=task.fingerprint(),
            device=self.device.partition(":")[0],
        )  # fmt: skip
        tensors = self.network.state_dict() | {SCREEN_PREFIX + name: tensor for name, tensor in state.items()}
        parts = {"head": self.recipe.head, "cascade": CascadeSettings()}
        screen = {name: part.model_dump(mode="json") for name, part in parts.items()} | {
            "vote": self.recipe.vote,
            "data": data,
        }
        return Screened(tensors, self.card.model_copy(update={"screen": screen}))

    def _maps(self, images: Sequence[ImageWindows]) -> Iterator[Path]:
        side, preprocessing = self.recipe.head.side, self.card.preprocessing
        trunk = identity(self.network, without=NOT_TRUNK)
        key = settings_key({"trunk": trunk, "preprocessing": preprocessing.model_dump(), "side": side})
        network = self.network.to(self.device).eval()

        def look(crops: NDArray[np.uint8]) -> Tensor:
            return run_batches(network.trunk, crops, preprocessing, device=self.device)

        sources = [
            CropSource(image.sample.image_id, content_digest(image.sample), partial(_square, image.sample, side))
            for image in images
        ]
        return ActivationShards(self.cache / f"squares-{key}", look).build(sources)


def _square(sample: Sample, side: int) -> NDArray[np.uint8]:
    return squash(sample_pixels(sample), side)[None]
