"""Names of the published Caffe model (BVLC GoogLeNet) in ours, and the preprocessing it was trained with."""

import re

from torch import Tensor

from googlenet_rcnn.core.card import Preprocessing
from googlenet_rcnn.core.errors import ModelError

__all__ = ["BVLC_PREPROCESSING", "from_caffe", "is_caffe"]

BVLC_PREPROCESSING = Preprocessing(order="BGR", scale=1.0, mean=(104.0, 117.0, 123.0))

_STEM = {
    "conv1/7x7_s2": "conv1.0",
    "conv2/3x3_reduce": "conv2_reduce.0",
    "conv2/3x3": "conv2.0",
    "loss3/classifier": "classifier",
}
_BRANCH = {
    "1x1": "branch1",
    "3x3_reduce": "branch3_reduce",
    "3x3": "branch3",
    "5x5_reduce": "branch5_reduce",
    "5x5": "branch5",
    "pool_proj": "pool_projection",
}
_HEAD = {"conv": "convolution.0", "fc": "hidden", "classifier": "classifier"}


def is_caffe(tensors: dict[str, Tensor]) -> bool:
    """Whether these are the Caffe model's tensor names."""
    return "conv1/7x7_s2.weight" in tensors


def _rename(layer: str) -> str:
    if layer in _STEM:
        return _STEM[layer]
    if found := re.fullmatch(r"inception_(3[ab]|4[a-e]|5[ab])/(\w+)", layer):
        return f"inception{found[1]}.{_BRANCH[found[2]]}.0"
    if found := re.fullmatch(r"loss([12])/(conv|fc|classifier)", layer):
        return f"aux4{'a' if found[1] == '1' else 'd'}.{_HEAD[found[2]]}"
    raise KeyError(layer)


def from_caffe(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under this project's names; the input stays BGR, which the Card records."""
    renamed = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        try:
            renamed[f"{_rename(layer)}.{kind}"] = tensor
        except KeyError:
            raise ModelError("MODEL_INVALID", f"the Caffe model has a layer GoogLeNet lacks: {layer}") from None
    return renamed
