"""The reference inference engine: PyTorch in fp32, channels last, in micro-batches."""

import ctypes
import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from googlenet_rcnn.core.card import Preprocessing

from .preprocess import to_input

__all__ = ["keep_freed_memory", "run_batches"]


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

    The network computes on its `device`; crops and results are in main memory.
    """

    def look(part: NDArray[np.uint8]) -> Tensor:
        return function(to_input(torch.as_tensor(part).to(device), preprocessing)).cpu()

    results = []
    with torch.inference_mode():
        for start in range(0, len(crops), batch):
            part = crops[start : start + batch]
            results.append(look(part)[: len(part)])
        if not results:
            return look(np.zeros((1, *crops.shape[1:]), dtype=np.uint8))[:0]
    return torch.cat(results)
