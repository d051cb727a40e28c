"""The precision of a training's arithmetic: that of the recipe, where the processor has it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

__all__ = ["Precision", "autocast", "lacks_bf16"]

Precision = Literal["fp32", "bf16", "fp16"]


def lacks_bf16(device: str) -> bool:
    """Whether bf16 would be emulated, many times slower than fp32."""
    return device == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported()


def autocast(precision: Precision, device: str) -> AbstractContextManager[Any]:
    """The precision in which losses are computed; fp32 in the place of bf16 on a processor that has none."""
    if precision == "fp32" or (precision == "bf16" and lacks_bf16(device)):
        return nullcontext()
    return torch.autocast(device, torch.bfloat16 if precision == "bf16" else torch.float16)
