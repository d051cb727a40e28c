"""Weights on disk as arrays: one safetensors file with the Card in its metadata; never a pickle, and no torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from googlenet_rcnn.core.card import SCREEN_PREFIX, Card
from googlenet_rcnn.core.errors import ModelError

__all__ = ["FORMAT", "HEAD_PREFIX", "TRUNK_PREFIX", "network_part", "open_weights", "read_arrays", "read_card"]

FORMAT = 1
HEAD_PREFIX, TRUNK_PREFIX = "head.", "trunk."
"""Begin the names of tensors in a MultiBox's file: its head, and the trunk below that if it has its own."""

_HEADER_LIMIT = 16 << 20  # bytes
_MOST_TENSORS = 10_000
_MEND = "fetch or train it again"

_Value = TypeVar("_Value")


def open_weights(path: Path, framework: str = "np") -> Any:
    """The open safetensors file, a context; ModelError if there is none that can be read."""
    _check_header(path)
    try:
        return safe_open(path, framework=framework)
    except SafetensorError as error:
        raise ModelError("MODEL_INVALID", f"{path} is damaged ({error}): {_MEND}") from None


def _check_header(path: Path) -> None:
    """Refuses what is no safetensors file before anything is made of it, and a header that can be read in two ways."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise ModelError("MODEL_MISSING", f"cannot read weights {path}: there is no such file")
        with open(path, "rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = stream.read(size) if size <= _HEADER_LIMIT else b""
    except OSError as error:
        raise ModelError("MODEL_MISSING", f"cannot read weights {path}: {error.strerror}") from None
    try:
        names = json.loads(header, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, dict) or len(names) > _MOST_TENSORS:
        raise ModelError("MODEL_INVALID", f"{path} is no safetensors file (pickles are never loaded): {_MEND}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ValueError if it has a key twice, since readers differ in which of the two they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def read_card(path: Path) -> Card:
    """The Card of a checkpoint; ModelError if there is none or it is newer than this program."""
    with open_weights(path) as file:
        text = (file.metadata() or {}).get("card")
    if text is None:
        raise ModelError("MODEL_NO_CARD", f"{path} has no card: bring it in with googlenet-rcnn import-weights")
    try:
        version = json.loads(text).get("format", 0)
        if version > FORMAT:
            raise ModelError("MODEL_NEWER", f"{path} has card format {version}, this program reads {FORMAT}: update it")
        return Card.model_validate_json(text)
    except ModelError:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the card"
        raise ModelError("MODEL_INVALID", f"the card of {path} cannot be used: {where}: {first['msg']}") from None
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError("MODEL_INVALID", f"the card of {path} cannot be read: {str(error).splitlines()[0]}") from None


def read_arrays(path: Path, prefix: str = "") -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file whose names begin with `prefix`, floats widened to float32.

    ModelError for a value that is not finite.
    """
    arrays: dict[str, NDArray[Any]] = {}
    with open_weights(path) as file:
        for name in filter(lambda name: name.startswith(prefix), file.keys()):
            try:
                value = file.get_tensor(name)
            except (TypeError, AttributeError, SafetensorError) as error:  # such as bfloat16, which numpy has not
                raise ModelError("MODEL_INVALID", f"{path}: {name} cannot be read ({error}): {_MEND}") from None
            array = value.astype(np.float32, copy=False) if np.issubdtype(value.dtype, np.floating) else value
            if not np.isfinite(array).all():
                raise ModelError("MODEL_INVALID", f"{path}: {name} holds values that are not finite")
            arrays[name] = array
    return arrays


def network_part(tensors: Mapping[str, _Value], card: Card) -> dict[str, _Value]:
    """Those of a checkpoint's tensors that are the network's, under its own names: no head beside it.

    A MultiBox's file has the trunk of a network, or nothing of it.
    """
    if card.task == "multibox":
        own = {name: value for name, value in tensors.items() if name.startswith(TRUNK_PREFIX)}
        return {name.removeprefix(TRUNK_PREFIX): value for name, value in own.items()}
    return {name: value for name, value in tensors.items() if not name.startswith(SCREEN_PREFIX)}
