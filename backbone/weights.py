"""Weights on disk as torch's tensors: written from a network, and copied into one after a check."""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.store import atomic_file

from .checkpoint import open_weights

__all__ = ["load_weights", "read_tensors", "save_weights"]


def save_weights(path: Path, tensors: dict[str, Tensor], card: Card, half: bool = False) -> None:
    """Writes tensors and their Card, atomically; `half` stores floats in half precision.

    Raises ModelError (MODEL_INVALID) rather than ever writing a weight that is not finite.
    """
    stored = {}
    for name, tensor in tensors.items():
        value = tensor.detach().cpu()
        if half and value.is_floating_point():
            value = value.half()
        if not bool(torch.isfinite(value).all()):
            raise ModelError("MODEL_INVALID", f"{path} not written: {name} holds values that are not finite")
        stored[name] = value.contiguous()
    with atomic_file(path) as stream:
        stream.write(save(stored, metadata={"card": card.model_dump_json()}))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file as stored."""
    with open_weights(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict


def load_weights(module: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Copies tensors into a module; ModelError names the first one missing, surplus, misshapen or not finite."""
    expected = module.state_dict()
    for name, value in expected.items():
        if name not in tensors:
            raise ModelError("MODEL_INVALID", f"{source} lacks the tensor {name}")
        got = tensors[name]
        if got.shape != value.shape:
            raise ModelError("MODEL_INVALID", f"{source}: {name} is {list(got.shape)}, expected {list(value.shape)}")
        if got.is_floating_point() != value.is_floating_point():
            raise ModelError("MODEL_INVALID", f"{source}: {name} is {got.dtype}, expected {value.dtype}")
        if not bool(torch.isfinite(got).all()):
            raise ModelError("MODEL_INVALID", f"{source}: {name} holds values that are not finite")
    surplus = sorted(set(tensors) - set(expected))
    if surplus:
        raise ModelError("MODEL_INVALID", f"{source} has a tensor the architecture lacks: {surplus[0]}")
    module.load_state_dict(
        {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    )
