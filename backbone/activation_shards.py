"""What a finished part of a network answers to crops, computed once and kept on disk, a shard an image."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from googlenet_rcnn.core.store import atomic_file

__all__ = [
    "ActivationShards",
    "CropSource",
    "number_rows",
    "read_activation",
    "read_activations",
    "settings_key",
    "shard_name",
]


class CropSource(NamedTuple):
    """The crops uint8 [n,S,S,3] of one image, made late; `digest` is a hash of all that determines them."""

    image_id: str
    digest: str
    crops: Callable[[], NDArray[np.uint8]]


def settings_key(settings: dict[str, Any]) -> str:
    """The name of a cache folder: a hash of all that determines what lies in it."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def shard_name(image_id: str) -> str:
    """The file of an image in a cache folder; different ids have different files."""
    return quote(image_id, safe="") + ".safetensors"


def number_rows(counts: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The image and the row in it of each crop, when the crops of all images are numbered through."""
    rows = [np.arange(count) for count in counts]
    return np.repeat(np.arange(len(counts)), counts), np.concatenate([np.zeros(0, np.int64), *rows])


def read_activation(path: Path, row: int) -> NDArray[np.float16]:
    """The activations [C,H,W], or features [C], of one crop of a shard."""
    with safe_open(path, framework="np") as file:
        return np.asarray(file.get_slice("activations")[row : row + 1][0])


def read_activations(path: Path) -> NDArray[np.float16]:
    """Those of every crop of a shard [n,...]."""
    with safe_open(path, framework="np") as file:
        return np.asarray(file.get_tensor("activations"))


@dataclass(frozen=True)
class ActivationShards:
    """What `answer` says of the crops of each image, a row a crop, in half precision, in files of `root`."""

    root: Path
    answer: Callable[[NDArray[np.uint8]], Tensor]

    def build(self, sources: Sequence[CropSource]) -> Iterator[Path]:
        """Yields the shard of each image in order, making those that are missing, damaged or of other crops.

        The next images are decoded and cropped while the network works on the current one.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1) as pool:
            missing = (source for source in sources if not self._whole(source))
            queue = [(source, pool.submit(source.crops)) for source in islice(missing, 4)]
            for source in sources:
                path = self._path(source)
                if queue and queue[0][0] is source:
                    crops = queue.pop(0)[1].result()
                    queue += [(later, pool.submit(later.crops)) for later in islice(missing, 1)]
                    activations = self.answer(crops).half()
                    with atomic_file(path) as stream:
                        tensors = {"activations": activations.contiguous()}
                        stream.write(save(tensors, metadata={"crops": source.digest}))
                yield path

    def _path(self, source: CropSource) -> Path:
        return self.root / shard_name(source.image_id)

    def _whole(self, source: CropSource) -> bool:
        try:
            with safe_open(self._path(source), framework="np") as file:
                return (file.metadata() or {}).get("crops") == source.digest
        except (FileNotFoundError, SafetensorError):
            return False
