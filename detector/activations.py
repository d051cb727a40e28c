"""The frozen part of the network evaluated once for each training window."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from googlenet_rcnn.backbone.activation_shards import ActivationShards, CropSource, settings_key
from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image

from .warp import Warp
from .windows import ImageWindows, window_crops

__all__ = ["ActivationCache", "Shard"]


class Shard(NamedTuple):
    """Where the activations of an image's windows lie; they are read late."""

    path: Path
    image: ImageWindows


@dataclass(frozen=True)
class ActivationCache:
    """Activations [n,832,7,7] of the windows of each image, in half precision."""

    folder: Path
    lower: Callable[[Tensor], Tensor]
    preprocessing: Preprocessing
    warp: Warp
    windows_key: str
    """Hash of the settings behind the windows."""
    identity: str
    """Hash of the weights behind `lower`."""

    @property
    def root(self) -> Path:
        """The folder of these settings."""
        key = settings_key(
            {
                "identity": self.identity,
                "preprocessing": self.preprocessing.model_dump(),
                "warp": repr(self.warp),
                "windows": self.windows_key,
            }
        )
        return self.folder / f"activations-{key}"

    def build(self, images: Sequence[ImageWindows]) -> Iterator[Shard]:
        """Yields the shard of each image in order, making those that are missing, damaged or of other windows."""
        shards = ActivationShards(self.root, lambda crops: run_batches(self.lower, crops, self.preprocessing))
        sources = [CropSource(image.sample.image_id, image.digest, partial(self._crops, image)) for image in images]
        for path, image in zip(shards.build(sources), images, strict=True):
            yield Shard(path, image)

    def _crops(self, image: ImageWindows) -> NDArray[np.uint8]:
        return window_crops(read_image(image.sample.path).pixels, image.windows, self.warp)
