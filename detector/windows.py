"""The training windows of each image, drawn once and kept on disk.

One small file an image, written whole or not at all, under a folder named by the hash of everything that
determines its content; a later run, also one on more images, picks up every file that is there.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from googlenet_rcnn.backbone.activation_shards import settings_key, shard_name
from googlenet_rcnn.core.samples import content_digest, sample_pixels, sample_random, sample_truth
from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.core.types import Boxes, GroundTruth, Image, Proposals, Proposer, Sample, Size

from .sampling import Windows, WindowSampling, assemble_windows, sample_windows
from .warp import Warp

__all__ = ["ImageWindows", "WindowCache", "window_crops"]


class ImageWindows(NamedTuple):
    """The windows of one sample; `digest` is a hash of their pixels' source, their boxes and mirrors."""

    sample: Sample
    windows: Windows
    digest: str


def window_crops(pixels: Image, windows: Windows, warp: Warp) -> NDArray[np.uint8]:
    """Crops uint8 [N,S,S,3] of training windows, mirrored where the windows say so."""
    crops = warp.crops(pixels, windows.boxes)
    crops[windows.mirrored] = crops[windows.mirrored, :, ::-1]
    return crops


@dataclass(frozen=True)
class WindowCache:
    """Proposes and samples windows for annotated images, in two threads, each image once.

    An image that is not exhaustively annotated gives its objects and nothing else: what seems to be background may
    hold an object that nobody drew (R-CNN, section 4.2).
    """

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
            for _ in samples:
                image = queue.pop(0).result()
                queue += [pool.submit(self._get, later) for later in islice(ahead, 1)]
                yield image

    def _get(self, sample: Sample) -> ImageWindows:
        truth = sample_truth(sample)
        source = _source(sample, truth)
        windows = self._read(sample, truth, source) or self._make(sample, truth, source)
        total = hashlib.sha256(source.encode())
        total.update(windows.boxes.coordinates.tobytes())
        total.update(windows.mirrored.tobytes())
        return ImageWindows(sample, windows, total.hexdigest())

    def _make(self, sample: Sample, truth: GroundTruth, source: str) -> Windows:
        pixels = sample_pixels(sample)
        random = sample_random(sample, self.seed)
        proposals = self.proposer.propose(pixels) if sample.exhaustive else _nothing(truth.size)
        windows = sample_windows(proposals, truth, self.sampling, random)
        tensors = {
            "boxes": np.ascontiguousarray(windows.boxes.coordinates),
            "mirrored": np.ascontiguousarray(windows.mirrored),
        }
        with atomic_file(self.root / shard_name(sample.image_id)) as stream:
            stream.write(save(tensors, metadata={"source": source}))
        return windows

    def _read(self, sample: Sample, truth: GroundTruth, source: str) -> Windows | None:
        """The windows on disk; None where they are missing, damaged or made from another image or other objects.

        What the windows show is looked up anew, so a corrected label needs no new windows.
        """
        try:
            with safe_open(self.root / shard_name(sample.image_id), framework="np") as file:
                if (file.metadata() or {}).get("source") != source:
                    return None
                boxes, mirrored = file.get_tensor("boxes"), file.get_tensor("mirrored")
        except (FileNotFoundError, SafetensorError):
            return None
        objects = int((~truth.ignore).sum())  # the first windows of an image
        return assemble_windows(boxes[objects:], truth, mirrored)


def _nothing(size: Size) -> Proposals:
    return Proposals.from_source(Boxes.empty(size), np.zeros(0), "none")


def _source(sample: Sample, truth: GroundTruth) -> str:
    """Hash of an image file and of where its objects are: what the choice of windows depends on."""
    total = hashlib.sha256(content_digest(sample).encode())
    total.update(truth.boxes.coordinates.tobytes())
    total.update(truth.ignore.tobytes())
    if not sample.exhaustive:
        total.update(b"objects only")
    return total.hexdigest()
