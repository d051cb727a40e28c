"""What a detector learns from: cached activations for its upper part, warped windows for the whole network."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from googlenet_rcnn.backbone.activation_shards import number_rows, read_activation
from googlenet_rcnn.backbone.architectures import Network
from googlenet_rcnn.backbone.googlenet import Logits
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.card import Preprocessing

from .activations import Shard
from .box_regression import offsets_to
from .pixel_memory import PixelMemory
from .targets import OverlapTargets, Targets, overlap_loss, regression_loss
from .warp import Warp
from .windows import ImageWindows

__all__ = ["ActivationTask", "Example", "WindowBatch", "WindowTask"]


class Example(NamedTuple):
    """A window as the network sees it (a crop or activations), whether it is mirrored, and its number."""

    values: NDArray[np.generic]
    mirrored: bool
    number: int


class WindowBatch(NamedTuple):
    """Crops uint8 [n,S,S,3] or activations float16 [n,832,7,7], and their targets."""

    values: Tensor
    targets: Targets


class _Windows:
    """The windows of many images, numbered through."""

    def __init__(self, images: Sequence[ImageWindows], targets: OverlapTargets) -> None:
        self.images, self.targets = images, targets
        self.image_of, self.row_of = number_rows([len(image.windows.labels) for image in images])

    def __len__(self) -> int:
        return len(self.image_of)

    def fingerprint(self) -> str:
        """Hash of the images, their windows and what those show."""
        total = hashlib.sha256()
        for sample, windows, digest in self.images:
            total.update(sample.image_id.encode())
            total.update(digest.encode())
            total.update(windows.labels.tobytes())
            total.update(windows.overlaps.tobytes())
            total.update(windows.objects.tobytes())
        return total.hexdigest()[:16]

    def identity(self, index: int) -> str:
        """Image id and row of a window."""
        return f"{self.images[self.image_of[index]].sample.image_id}#{self.row_of[index]}"

    def batch(self, examples: list[Example]) -> WindowBatch:
        """The examples as tensors, with their targets; in a mirror image an object lies on the other side."""
        rows = [(self.images[self.image_of[one.number]].windows, self.row_of[one.number]) for one in examples]
        offsets = offsets_to(
            np.stack([windows.objects[row] for windows, row in rows]),
            np.stack([windows.boxes.coordinates[row] for windows, row in rows]),
        )
        offsets[[one.mirrored for one in examples], 0] *= -1
        targets = self.targets.targets(
            np.array([windows.labels[row] for windows, row in rows]),
            np.array([windows.overlaps[row] for windows, row in rows]),
            offsets,
        )
        return WindowBatch(torch.from_numpy(np.stack([one.values for one in examples])), targets)


class ActivationTask(_Windows):
    """Losses of the upper network on cached activations."""

    def __init__(self, shards: Sequence[Shard], targets: OverlapTargets) -> None:
        super().__init__([shard.image for shard in shards], targets)
        self.paths = [shard.path for shard in shards]

    def example(self, index: int, random: np.random.Generator) -> Example:
        """Activations [832,7,7] of a window, as they were mirrored when they were computed."""
        image, row = self.image_of[index], int(self.row_of[index])
        return Example(read_activation(self.paths[image], row), bool(self.images[image].windows.mirrored[row]), index)

    def losses(self, module: nn.Module, batch: WindowBatch) -> dict[str, Tensor]:
        """Cross-entropy, and box regression where the network has it, summed over the batch."""
        device = _device(module)
        maps = batch.values.to(device, non_blocking=True).float().contiguous(memory_format=torch.channels_last)
        return _losses(_network(module).upper(maps), batch.targets.to(device))


class WindowTask(_Windows):
    """Losses of the whole network on windows warped anew, mirrored at random."""

    def __init__(
        self, images: Sequence[ImageWindows], targets: OverlapTargets, warp: Warp, preprocessing: Preprocessing
    ) -> None:
        super().__init__(images, targets)
        self.warp, self.preprocessing = warp, preprocessing
        self.pixels = PixelMemory()

    def example(self, index: int, random: np.random.Generator) -> Example:
        """A crop uint8 [S,S,3] of a window."""
        sample, windows, _ = self.images[self.image_of[index]]
        row = int(self.row_of[index])
        crop = self.warp.crops(self.pixels.read(sample.path), windows.boxes[row : row + 1])[0]
        mirrored = bool(random.random() < 0.5)
        return Example(crop[:, ::-1] if mirrored else crop, mirrored, index)

    def losses(self, module: nn.Module, batch: WindowBatch) -> dict[str, Tensor]:
        """Cross-entropy, and box regression where the network has it, summed over the batch."""
        device = _device(module)
        crops = to_input(batch.values.to(device, non_blocking=True), self.preprocessing)
        return _losses(_network(module)(crops), batch.targets.to(device))


def _losses(answer: Logits, targets: Targets) -> dict[str, Tensor]:
    losses = {"softmax": overlap_loss(answer.main, targets)}
    if answer.offsets is not None:
        losses["boxes"] = regression_loss(answer.offsets, targets)
    return losses


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device


def _network(module: nn.Module) -> Network:
    return module  # type: ignore[return-value]
