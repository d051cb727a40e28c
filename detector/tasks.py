"""What a detector learns from: cached activations for its upper part, warped windows for the whole network."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from googlenet_rcnn.backbone.architectures import Network
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes, Image, Size

from .activations import Shard
from .warp import Warp

__all__ = ["ActivationTask", "WindowTask"]


class _Windows:
    """Windows of many shards, numbered through."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = shards
        counts = [len(shard.labels) for shard in shards]
        self.shard_of = np.repeat(np.arange(len(shards)), counts)
        self.row_of = np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.shard_of)

    def fingerprint(self) -> str:
        """Hash of the images, their windows and labels."""
        total = hashlib.sha256()
        for shard in self.shards:
            total.update(shard.sample.image_id.encode())
            total.update(shard.boxes.tobytes())
            total.update(shard.labels.tobytes())
        return total.hexdigest()[:16]

    def locate(self, index: int) -> tuple[Shard, int]:
        """The shard of a window and its row there."""
        return self.shards[self.shard_of[index]], int(self.row_of[index])

    def identity(self, index: int) -> str:
        """Image id and row of a window."""
        shard, row = self.locate(index)
        return f"{shard.sample.image_id}#{row}"


class ActivationTask(_Windows):
    """Softmax loss of the upper network on cached activations."""

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.float16], int]:
        """Activations [832,7,7] of a window and its label."""
        shard, row = self.locate(index)
        with safe_open(shard.path, framework="np") as file:
            activations = file.get_slice("activations")[row : row + 1]
        return activations[0], int(shard.labels[row])

    def losses(self, module: nn.Module, examples: list[tuple[NDArray[np.float16], int]]) -> dict[str, Tensor]:
        """Cross-entropy summed over the examples."""
        maps = torch.from_numpy(np.stack([activations for activations, _ in examples])).float()
        logits = _network(module).upper(maps.contiguous(memory_format=torch.channels_last))
        return {"softmax": _cross_entropy(logits, [label for _, label in examples])}


class WindowTask(_Windows):
    """Softmax loss of the whole network on windows warped anew, mirrored at random."""

    def __init__(self, shards: Sequence[Shard], warp: Warp, preprocessing: Preprocessing) -> None:
        super().__init__(shards)
        self.warp, self.preprocessing = warp, preprocessing

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        """A crop uint8 [S,S,3] and its label."""
        shard, row = self.locate(index)
        pixels = _pixels(str(shard.sample.path))
        height, width = pixels.shape[:2]
        crop = self.warp.crops(pixels, Boxes(shard.boxes[row : row + 1], Size(height, width)))[0]
        if random.random() < 0.5:
            crop = crop[:, ::-1]
        return crop, int(shard.labels[row])

    def losses(self, module: nn.Module, examples: list[tuple[NDArray[np.uint8], int]]) -> dict[str, Tensor]:
        """Cross-entropy summed over the examples."""
        crops = to_input(np.stack([crop for crop, _ in examples]), self.preprocessing)
        logits = _network(module)(crops).main
        return {"softmax": _cross_entropy(logits, [label for _, label in examples])}


@lru_cache(maxsize=64)
def _pixels(path: str) -> Image:
    return read_image(path).pixels


def _network(module: nn.Module) -> Network:
    return module  # type: ignore[return-value]


def _cross_entropy(logits: Tensor, labels: list[int]) -> Tensor:
    return functional.cross_entropy(logits.float(), torch.tensor(labels), reduction="sum")
