"""Weights on disk: one safetensors file with the Card in its metadata; never a pickle."""

import json
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.store import atomic_file

__all__ = ["FORMAT", "load_weights", "read_card", "read_tensors", "save_weights"]

FORMAT = 1
_HEADER_LIMIT = 16 << 20
_MEND = "fetch or train it again"


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


def _open(path: Path) -> "safe_open":
    try:
        with open(path, "rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise ModelError("MODEL_MISSING", f"cannot read weights {path}: {error.strerror}") from None
    if len(head) < 8 or int.from_bytes(head, "little") > _HEADER_LIMIT:
        raise ModelError("MODEL_INVALID", f"{path} is no safetensors file (pickles are never loaded): {_MEND}")
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        raise ModelError("MODEL_INVALID", f"{path} is damaged ({error}): {_MEND}") from None


def read_card(path: Path) -> Card:
    """The Card of a checkpoint; ModelError if there is none or it is newer than this program."""
    with _open(path) as file:
        text = (file.metadata() or {}).get("card")
    if text is None:
        raise ModelError("MODEL_NO_CARD", f"{path} has no card: bring it in with googlenet-rcnn import-weights")
    try:
        version = json.loads(text).get("format", 0)
        if version > FORMAT:
            raise ModelError("MODEL_NEWER", f"{path} has card format {version}, this program reads {FORMAT}: update it")
        return Card.model_validate_json(text)
    except (ValidationError, ValueError, AttributeError, TypeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError("MODEL_INVALID", f"the card of {path} cannot be read: {str(error).splitlines()[0]}") from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file as stored."""
    with _open(path) as file:
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
