"""Hostile weights files, each made by hand down to the bytes: no library would write them."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

CARD = {"labels": ["a", "b"]}


def packed(header: Any, data: bytes = b"") -> bytes:
    """A safetensors file with any header, JSON or bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(start: int = 0, end: int = 4, shape: tuple[int, ...] = (1,), dtype: str = "F32") -> dict[str, Any]:
    """What a header says of a tensor."""
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def with_card(card: Any) -> bytes:
    """A file of one tensor and a card, which may be any text."""
    text = card if isinstance(card, str) else json.dumps(card)
    return packed({"__metadata__": {"card": text}, "a": tensor()}, bytes(4))


class Code:
    """Runs a command in whoever unpickles it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.marker}",)


def pickle_with_code(marker: Path) -> bytes:
    """A pickle that creates the file `marker` when it is loaded."""
    return pickle.dumps(Code(marker))


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "empty": bytes,
    "seven bytes": lambda: bytes(7),
    "no header": lambda: bytes(8),
    "huge header": lambda: struct.pack("<Q", 2**60) + b"{}",
    "header longer than the file": lambda: struct.pack("<Q", 1000) + b"{}",
    "header of blanks": lambda: packed(b" " * 64),
    "header no JSON": lambda: packed(b"notjson!"),
    "header no object": lambda: packed([tensor()]),
    "header not UTF-8": lambda: packed(b'{"\xff": 1}'),
    "header nested deeply": lambda: packed(b'{"a":' * 100_000),
    "a name twice": lambda: packed(b'{"a":%s,"a":%s}' % ((json.dumps(tensor()).encode(),) * 2), bytes(4)),
    "too many tensors": lambda: packed({f"t{i}": tensor(0, 0, (0,)) for i in range(10_001)}),
    "tensors cut": lambda: packed({"a": tensor(0, 400, (100,))}, bytes(399)),
    "surplus bytes": lambda: packed({"a": tensor()}, bytes(5)),
    "overlapping": lambda: packed({"a": tensor(0, 8, (2,)), "b": tensor(4, 12, (2,))}, bytes(12)),
    "a hole": lambda: packed({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12)),
    "backwards": lambda: packed({"a": tensor(4, 0)}, bytes(4)),
    "negative": lambda: packed({"a": tensor(-4, 0)}, bytes(4)),
    "shape of another size": lambda: packed({"a": tensor(0, 4, (2,))}, bytes(4)),
    "shape that overflows": lambda: packed({"a": tensor(0, 4, (2**62, 4))}, bytes(4)),
    "unknown dtype": lambda: packed({"a": tensor(dtype="Q99")}, bytes(4)),
    "metadata no text": lambda: packed({"__metadata__": {"card": 1}, "a": tensor()}, bytes(4)),
    "page": lambda: b"<!DOCTYPE html><html>404 Not Found</html>",
    "onnx": lambda: b"\x08\x08\x12\x07pytorch" + bytes(99),
}
"""Files that are no safetensors file that can be read in one way only: MODEL_INVALID."""

CARDS: dict[str, Any] = {
    "no object": [],
    "no labels": {},
    "empty labels": {"labels": []},
    "a label twice": {"labels": ["a", "a"]},
    "an empty label": {"labels": [""]},
    "labels of numbers": {"labels": [1]},
    "format as text": CARD | {"format": "1"},
    "unknown key": CARD | {"lables": []},
    "unknown architecture": CARD | {"arch": "resnet"},
    "scale zero": CARD | {"preprocessing": {"scale": 0.0}},
    "scale not finite": '{"labels": ["a"], "preprocessing": {"scale": NaN}}',
    "deviation zero": CARD | {"preprocessing": {"deviation": [1.0, 0.0, 1.0]}},
    "mean no colour": CARD | {"preprocessing": {"mean": [1e9, 0.0, 0.0]}},
    "side zero": CARD | {"warp_side": 0},
    "side huge": CARD | {"warp_side": 10**9},
    "side between cells": CARD | {"task": "detector", "warp_side": 100},
    "all context": CARD | {"warp_side": 32, "warp_context": 16},
    "threshold out of range": CARD | {"score_threshold": 1.5},
    "cut": '{"labels": ["a"',
    "nested deeply": "[" * 100_000,
    "lone surrogate": '{"labels": ["\\ud800"]}',
}
"""Cards that cannot be used: MODEL_INVALID."""
