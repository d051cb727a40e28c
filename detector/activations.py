"""The frozen part of the network evaluated once per training window and kept on disk, a shard an image."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.store import atomic_file

from .warp import Warp
from .windows import ImageWindows, settings_key, shard_name, window_crops

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
        """Yields the shard of each image in order, making those that are missing, damaged or of other windows.

        The next images are decoded and warped while the network works on the current one.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1) as pool:
            missing = (image for image in images if not self._whole(image))
            queue = [(image, pool.submit(self._crops, image)) for image in islice(missing, 4)]
            for image in images:
                path = self._path(image)
                if queue and queue[0][0] is image:
                    crops = queue.pop(0)[1].result()
                    queue += [(later, pool.submit(self._crops, later)) for later in islice(missing, 1)]
                    activations = run_batches(self.lower, crops, self.preprocessing).half()
                    with atomic_file(path) as stream:
                        tensors = {"activations": activations.contiguous()}
                        stream.write(save(tensors, metadata={"windows": image.digest}))
                yield Shard(path, image)

    def _crops(self, image: ImageWindows) -> NDArray[np.uint8]:
        return window_crops(read_image(image.sample.path).pixels, image.windows, self.warp)

    def _path(self, image: ImageWindows) -> Path:
        return self.root / shard_name(image.sample.image_id)

    def _whole(self, image: ImageWindows) -> bool:
        try:
            with safe_open(self._path(image), framework="np") as file:
                return (file.metadata() or {}).get("windows") == image.digest
        except (FileNotFoundError, SafetensorError):
            return False
