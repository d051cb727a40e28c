"""The frozen part of the network evaluated once per training window and kept on disk.

One shard an image, written whole or not at all, under a folder named by the hash of everything that
determines its content; a later run, also one on other images, picks up every shard that is there.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from googlenet_rcnn.backbone.engine import run_batches
from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.core.types import Proposer, Sample

from .sampling import Windows, WindowSampling, sample_windows
from .warp import Warp

__all__ = ["ActivationCache", "Shard", "window_crops"]


class Shard(NamedTuple):
    """Where the windows of one image lie: activations are read late, the rest is small."""

    path: Path
    sample: Sample
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    mirrored: NDArray[np.bool_]


def window_crops(pixels: NDArray[np.uint8], windows: Windows, warp: Warp) -> NDArray[np.uint8]:
    """Crops uint8 [N,S,S,3] of training windows, mirrored where the windows say so."""
    crops = warp.crops(pixels, windows.boxes)
    crops[windows.mirrored] = crops[windows.mirrored, :, ::-1]
    return crops


@dataclass(frozen=True)
class ActivationCache:
    """Activations [n,832,7,7] of the windows of each image, in half precision."""

    folder: Path
    lower: Callable[[Tensor], Tensor]
    preprocessing: Preprocessing
    proposer: Proposer
    warp: Warp
    sampling: WindowSampling
    seed: int
    identity: str
    """Hash of the weights behind `lower`."""

    @property
    def root(self) -> Path:
        """The folder of these settings."""
        settings: dict[str, Any] = {
            "identity": self.identity,
            "preprocessing": self.preprocessing.model_dump(),
            "proposer": repr(self.proposer),
            "warp": repr(self.warp),
            "sampling": self.sampling.model_dump(),
            "seed": self.seed,
        }
        return self.folder / hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]

    def _random(self, sample: Sample) -> np.random.Generator:
        name = int.from_bytes(hashlib.sha256(sample.image_id.encode()).digest()[:8], "little")
        return np.random.default_rng([self.seed, name])

    def _prepare(self, sample: Sample) -> tuple[Windows, NDArray[np.uint8]]:
        if sample.truth is None:
            raise DataError("ANN_MISSING", f"{sample.path} has no annotation: training needs one for each image")
        pixels = read_image(sample.path).pixels
        if pixels.shape[:2] != sample.truth.size:
            (height, width), declared = pixels.shape[:2], sample.truth.size
            raise DataError(
                "SIZE_MISMATCH",
                f"{sample.path} is {width}x{height}, its annotation says {declared.width}x{declared.height}: "
                "write the true size and boxes of the image as displayed",
            )
        windows = sample_windows(self.proposer.propose(pixels), sample.truth, self.sampling, self._random(sample))
        return windows, window_crops(pixels, windows, self.warp)

    def build(self, samples: Sequence[Sample]) -> Iterator[Shard]:
        """Yields the shard of each sample in order, making those that are missing or damaged.

        The next images are decoded, proposed and warped while the network works on the current one.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1) as pool:
            missing = (sample for sample in samples if self._read(sample) is None)
            queue = [(sample, pool.submit(self._prepare, sample)) for sample in islice(missing, 4)]
            for sample in samples:
                if not queue or queue[0][0] is not sample:
                    shard = self._read(sample)
                    assert shard is not None
                    yield shard
                    continue
                windows, crops = queue.pop(0)[1].result()
                queue += [(later, pool.submit(self._prepare, later)) for later in islice(missing, 1)]
                yield self._write(sample, windows, crops)

    def _path(self, sample: Sample) -> Path:
        return self.root / (sample.image_id.replace("/", "~") + ".safetensors")

    def _write(self, sample: Sample, windows: Windows, crops: NDArray[np.uint8]) -> Shard:
        tensors = {
            "activations": run_batches(self.lower, crops, self.preprocessing).half().contiguous(),
            "boxes": torch.from_numpy(windows.boxes.coordinates.copy()),
            "labels": torch.from_numpy(windows.labels),
            "mirrored": torch.from_numpy(windows.mirrored),
        }
        path = self._path(sample)
        with atomic_file(path) as stream:
            stream.write(save(tensors))
        return Shard(path, sample, windows.boxes.coordinates, windows.labels, windows.mirrored)

    def _read(self, sample: Sample) -> Shard | None:
        """The shard on disk; None where it is missing, damaged or made from other objects."""
        path = self._path(sample)
        try:
            with safe_open(path, framework="np") as file:
                boxes, labels, mirrored = (file.get_tensor(name) for name in ("boxes", "labels", "mirrored"))
                whole = file.get_slice("activations").get_shape()[0] == len(labels)
        except (FileNotFoundError, SafetensorError):
            return None
        if not whole or sample.truth is None:
            return None
        objects = sample.truth[~sample.truth.ignore]  # the first windows of a shard
        if not (
            np.array_equal(boxes[: len(objects)], objects.boxes.coordinates)
            and np.array_equal(labels[: len(objects)], objects.labels + 1)
        ):
            return None
        return Shard(path, sample, boxes, labels, mirrored)
