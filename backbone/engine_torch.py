"""The reference inference engine: PyTorch in fp32, channels last, in micro-batches, on a GPU where there is one."""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError, lacks_memory

from .architectures import Network, load_network
from .checkpoint import read_card
from .engine import Part
from .preprocess import to_input
from .processes import Processes

__all__ = ["TorchEngine", "keep_freed_memory", "run_batches"]

_Key = tuple[Path, int, int, str]
_NETWORKS: WeakValueDictionary[_Key, Network] = WeakValueDictionary()
"""Networks that some engine holds, by file, its time and size, and device: two parts of one share its weights."""


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """A part of a network run by torch; `compiled` by torch.compile, which takes a minute at the first run."""

    network: Network
    card: Card
    part: Part = "scores"
    device: str = "cpu"
    batch: int = 32
    compiled: bool = False
    _turn: Lock = field(default_factory=Lock, init=False, repr=False)  # all threads work for one caller at a time

    @classmethod
    def load(
        cls, path: Path, part: Part = "scores", threads: int | None = None, compiled: bool = False
    ) -> "TorchEngine":
        """The engine of a checkpoint's network; ModelError if the file or, for `compiled`, a compiler is missing.

        `threads` are those of all of torch in this process.
        """
        if compiled and not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++"))):
            raise ModelError("RUNTIME_MISSING", "torch-compile needs a C++ compiler: install g++, or choose torch")
        if threads is not None:
            torch.set_num_threads(threads)
        keep_freed_memory()
        device, stat = Processes().device, path.stat() if path.is_file() else None
        card = read_card(path)
        key = (path.resolve(), stat.st_mtime_ns if stat else 0, stat.st_size if stat else 0, device)
        network = _NETWORKS.get(key)
        if network is None:
            network = _NETWORKS[key] = load_network(path).network.to(device)
        return cls(network, card, part, device, compiled=compiled)

    @property
    def name(self) -> str:
        """The runtime."""
        return "torch-compile" if self.compiled else "torch"

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Numbers [N,...] of RGB pixels [N,H,W,3]; those of an image depend on no other."""
        with self._turn:
            return run_batches(self._function, pixels, self.card.preprocessing, self.batch, self.device).numpy()

    @cached_property
    def _function(self) -> Callable[[Tensor], Tensor]:
        parts = {"scores": self._scores, "features": self._features, "trunk": self.network.trunk}
        look = parts[self.part]
        return self._in_two_sizes(torch.compile(look)) if self.compiled else look

    def _features(self, x: Tensor) -> Tensor:
        return self.network.pooled(self.network.lower(x))

    def _scores(self, x: Tensor) -> Tensor:
        logits = self.network(x)
        return logits.main if logits.offsets is None else torch.cat((logits.main, logits.offsets), dim=1)

    def _in_two_sizes(self, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """Every size of a micro-batch would be compiled anew: there are one image and full ones only."""

        def look(x: Tensor) -> Tensor:
            if len(x) in (1, self.batch):
                return function(x)
            padded = torch.cat((x, x.new_zeros(self.batch - len(x), *x.shape[1:])))
            return function(padded.contiguous(memory_format=torch.channels_last))[: len(x)]

        return look


def keep_freed_memory() -> None:
    """Tells glibc to keep freed activations for the next layer instead of returning them to the kernel.

    A forward pass frees and allocates blocks of tens of megabytes; mapping fresh zeroed pages for each
    costs up to a third of its time on a CPU. Does nothing where the C library has no mallopt.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD: blocks below 1 GiB come from the heap
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD: the heap's end is not given back


def run_batches(
    function: Callable[[Tensor], Tensor],
    crops: NDArray[np.uint8],
    preprocessing: Preprocessing,
    batch: int = 32,
    device: str | torch.device = "cpu",
) -> Tensor:
    """Results [N,...] of a network's part on crops uint8 [N,H,W,3], in micro-batches, without gradients.

    The network computes on its `device`; crops and results are in main memory. Micro-batches that memory does not
    suffice for are halved.
    """

    def look(part: NDArray[np.uint8]) -> Tensor:
        return function(to_input(torch.as_tensor(part).to(device), preprocessing)).cpu()

    results: list[Tensor] = []
    done = 0
    with torch.inference_mode():
        if not len(crops):
            return look(np.zeros((1, *crops.shape[1:]), dtype=np.uint8))[:0]
        while done < len(crops):
            part = crops[done : done + batch]
            try:
                results.append(look(part))
                done += len(part)
            except Exception as error:
                if len(part) == 1 or not lacks_memory(error):
                    raise
                batch = -(-len(part) // 2)
    return torch.cat(results)
