"""What a classifier learns from: random crops of labelled images."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image

from .crop_sampling import CropSampling, sample_crop
from .multicrop import SIDE
from .preprocess import to_input

__all__ = ["ClassificationTask", "LabelledCrops"]


class LabelledCrops(NamedTuple):
    """Crops uint8 [n,side,side,3] and their labels int64 [n]."""

    crops: Tensor
    labels: Tensor


class ClassificationTask:
    """Cross-entropy of the main classifier, and of the two auxiliary ones at `auxiliary` of its weight (section 5)."""

    def __init__(
        self,
        paths: Sequence[Path],
        labels: NDArray[np.int64],
        sampling: CropSampling,
        preprocessing: Preprocessing,
        auxiliary: float = 0.3,
        smoothing: float = 0.0,
        side: int = SIDE,
    ) -> None:
        self.paths, self.labels = paths, labels
        self.sampling, self.preprocessing = sampling, preprocessing
        self.auxiliary, self.smoothing, self.side = auxiliary, smoothing, side

    def __len__(self) -> int:
        return len(self.paths)

    def fingerprint(self) -> str:
        """Hash of the images' names in their folders and of their labels."""
        total = hashlib.sha256(np.ascontiguousarray(self.labels).tobytes())
        for path in self.paths:
            total.update(f"{path.parent.name}/{path.name}\n".encode("utf-8", "surrogateescape"))
        return total.hexdigest()[:16]

    def identity(self, index: int) -> str:
        """Path of an image."""
        return str(self.paths[index])

    def example(self, index: int, random: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        """A random crop of an image, and its label."""
        image = read_image(self.paths[index]).pixels
        return sample_crop(image, self.side, self.sampling, random), int(self.labels[index])

    def batch(self, examples: list[tuple[NDArray[np.uint8], int]]) -> LabelledCrops:
        """The examples as tensors."""
        crops, labels = zip(*examples, strict=True)
        return LabelledCrops(torch.from_numpy(np.stack(crops)), torch.tensor(labels))

    def losses(self, module: nn.Module, batch: LabelledCrops) -> dict[str, Tensor]:
        """Losses summed over the batch; those of the auxiliary classifiers where the network has them."""
        labels = batch.labels.to(next(module.parameters()).device)
        logits = module(to_input(batch.crops.to(labels.device), self.preprocessing))
        losses = {"main": self._loss(logits.main, labels)}
        for name, said in (("aux4a", logits.aux1), ("aux4d", logits.aux2)):
            if said is not None:
                losses[name] = self.auxiliary * self._loss(said, labels)
        return losses

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(
            logits.float(), labels, reduction="sum", label_smoothing=self.smoothing
        )  # in fp32, also under autocast
