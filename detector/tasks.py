"""What a detector learns from: cached activations for its upper part, warped windows for the whole network."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from googlenet_rcnn.backbone.activation_shards import number_rows, read_activation
from googlenet_rcnn.backbone.architectures import Network
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Image

from .activations import Shard
from .targets import OverlapTargets, Target, overlap_loss
from .warp import Warp
from .windows import ImageWindows

__all__ = ["ActivationTask", "WindowTask"]


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
        return total.hexdigest()[:16]

    def identity(self, index: int) -> str:
        """Image id and row of a window."""
        return f"{self.images[self.image_of[index]].sample.image_id}#{self.row_of[index]}"

    def target(self, index: int) -> Target:
        """What a window counts for."""
        windows, row = self.images[self.image_of[index]].windows, self.row_of[index]
        return self.targets.target(int(windows.labels[row]), float(windows.overlaps[row]))


class ActivationTask(_Windows):
    """Softmax loss of the upper network on cached activations."""

    def __init__(self, shards: Sequence[Shard], targets: OverlapTargets) -> None:
        super().__init__([shard.image for shard in shards], targets)
        self.paths = [shard.path for shard in shards]

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.float16], Target]:
        """Activations [832,7,7] of a window and its target."""
        row = int(self.row_of[index])
        return read_activation(self.paths[self.image_of[index]], row), self.target(index)

    def losses(self, module: nn.Module, examples: list[tuple[NDArray[np.float16], Target]]) -> dict[str, Tensor]:
        """Cross-entropy summed over the examples."""
        maps = torch.from_numpy(np.stack([activations for activations, _ in examples])).float()
        logits = _network(module).upper(maps.contiguous(memory_format=torch.channels_last))
        return {"softmax": overlap_loss(logits, [target for _, target in examples])}


class WindowTask(_Windows):
    """Softmax loss of the whole network on windows warped anew, mirrored at random."""

    def __init__(
        self, images: Sequence[ImageWindows], targets: OverlapTargets, warp: Warp, preprocessing: Preprocessing
    ) -> None:
        super().__init__(images, targets)
        self.warp, self.preprocessing = warp, preprocessing

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], Target]:
        """A crop uint8 [S,S,3] and its target."""
        sample, windows, _ = self.images[self.image_of[index]]
        row = int(self.row_of[index])
        crop = self.warp.crops(_pixels(str(sample.path)), windows.boxes[row : row + 1])[0]
        if random.random() < 0.5:
            crop = crop[:, ::-1]
        return crop, self.target(index)

    def losses(self, module: nn.Module, examples: list[tuple[NDArray[np.uint8], Target]]) -> dict[str, Tensor]:
        """Cross-entropy summed over the examples."""
        crops = to_input(np.stack([crop for crop, _ in examples]), self.preprocessing)
        logits = _network(module)(crops).main
        return {"softmax": overlap_loss(logits, [target for _, target in examples])}


@lru_cache(maxsize=64)
def _pixels(path: str) -> Image:
    return read_image(path).pixels


def _network(module: nn.Module) -> Network:
    return module  # type: ignore[return-value]
