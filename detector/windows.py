"""The training windows of each image, drawn once and kept on disk.

One small file an image, written whole or not at all, under a folder named by the hash of everything that
determines its content; a later run, also one on more images, picks up every file that is there.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.core.types import Boxes, Image, Proposer, Sample

from .sampling import Windows, WindowSampling, sample_windows
from .warp import Warp

__all__ = ["ImageWindows", "WindowCache", "settings_key", "shard_name", "window_crops"]


class ImageWindows(NamedTuple):
    """The windows of one sample."""

    sample: Sample
    windows: Windows


def window_crops(pixels: Image, windows: Windows, warp: Warp) -> NDArray[np.uint8]:
    """Crops uint8 [N,S,S,3] of training windows, mirrored where the windows say so."""
    crops = warp.crops(pixels, windows.boxes)
    crops[windows.mirrored] = crops[windows.mirrored, :, ::-1]
    return crops


def settings_key(settings: dict[str, Any]) -> str:
    """The name of a cache folder: a hash of all that determines what lies in it."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def shard_name(image_id: str) -> str:
    """The file of an image in a cache folder."""
    return image_id.replace("/", "~") + ".safetensors"


@dataclass(frozen=True)
class WindowCache:
    """Proposes and samples windows for annotated images, in two threads, each image once."""

    folder: Path
    proposer: Proposer
    sampling: WindowSampling
    seed: int

    @property
    def key(self) -> str:
        """Hash of these settings."""
        return settings_key(
            {"proposer": repr(self.proposer), "sampling": self.sampling.model_dump(), "seed": self.seed}
        )

    @property
    def root(self) -> Path:
        """The folder of these settings."""
        return self.folder / f"windows-{self.key}"

    def build(self, samples: Sequence[Sample]) -> Iterator[ImageWindows]:
        """Yields the windows of each sample in order, making those that are missing, damaged or outdated."""
        self.root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(2) as pool:
            # A short queue: enough to keep the threads busy, little to lose when the run is stopped.
            ahead = iter(samples)
            queue = [pool.submit(self._get, sample) for sample in islice(ahead, 8)]
            for sample in samples:
                windows = queue.pop(0).result()
                queue += [pool.submit(self._get, later) for later in islice(ahead, 1)]
                yield ImageWindows(sample, windows)

    def _get(self, sample: Sample) -> Windows:
        return self._read(sample) or self._make(sample)

    def _random(self, sample: Sample) -> np.random.Generator:
        name = int.from_bytes(hashlib.sha256(sample.image_id.encode()).digest()[:8], "little")
        return np.random.default_rng([self.seed, name])

    def _make(self, sample: Sample) -> Windows:
        if sample.truth is None:
            message = f"{sample.path} has no annotation: training needs one for each image"
            raise DataError("ANN_MISSING", message)
        pixels = read_image(sample.path).pixels
        if pixels.shape[:2] != sample.truth.size:
            (height, width), declared = pixels.shape[:2], sample.truth.size
            raise DataError(
                "SIZE_MISMATCH",
                f"{sample.path} is {width}x{height}, its annotation says {declared.width}x{declared.height}: "
                "write the true size and boxes of the image as displayed",
            )
        windows = sample_windows(self.proposer.propose(pixels), sample.truth, self.sampling, self._random(sample))
        tensors = {
            "boxes": windows.boxes.coordinates,
            "labels": windows.labels,
            "mirrored": windows.mirrored,
        }
        with atomic_file(self.root / shard_name(sample.image_id)) as stream:
            stream.write(save({name: np.ascontiguousarray(value) for name, value in tensors.items()}))
        return windows

    def _read(self, sample: Sample) -> Windows | None:
        """The windows on disk; None where they are missing, damaged or made from other objects."""
        if sample.truth is None:
            return None
        try:
            with safe_open(self.root / shard_name(sample.image_id), framework="np") as file:
                boxes, labels, mirrored = (file.get_tensor(name) for name in ("boxes", "labels", "mirrored"))
        except (FileNotFoundError, SafetensorError):
            return None
        objects = sample.truth[~sample.truth.ignore]  # the first windows of an image
        count = len(objects)
        if not (
            np.array_equal(boxes[:count], objects.boxes.coordinates)
            and np.array_equal(labels[:count], objects.labels + 1)
        ):
            return None
        return Windows(Boxes(boxes, sample.truth.size), labels, mirrored)
