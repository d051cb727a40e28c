"""What an engine is built from: a checkpoint, read only if nothing built is at hand."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.store import digest

from .checkpoint import network_part, read_arrays, read_card
from .engine import Part
from .engine_cache import settings_name

__all__ = ["GRAPH_VERSION", "EngineSource"]

GRAPH_VERSION = 1
"""Part of the name of every kept engine: raise it when `graph` makes another graph of the same weights."""


@dataclass(frozen=True, eq=False)
class EngineSource:
    """The checkpoint at `path`."""

    path: Path

    @cached_property
    def card(self) -> Card:
        """Its Card; ModelError if it has none that can be read."""
        return read_card(self.path)

    @cached_property
    def _digest(self) -> str:
        try:
            return digest(self.path)
        except OSError as error:
            raise ModelError("MODEL_MISSING", f"cannot read weights {self.path}: {error.strerror}") from None

    def name(self, kind: str, **settings: Any) -> str:
        """The file of an engine that is determined by the checkpoint's content and `settings`."""
        return f"{settings_name({'weights': self._digest, 'graph': GRAPH_VERSION, **settings})}.{kind}"

    def graph(self, part: Part, sides: tuple[int, int], quantised: bool = False, banded: bool = False) -> bytes:
        """The ONNX model of a part, see `build_graph`; ModelError where onnx is not installed."""
        try:
            from .graph import build_graph
        except ImportError:
            raise ModelError("RUNTIME_MISSING", "building an engine needs onnx: pip install onnx") from None

        arrays = network_part(read_arrays(self.path), self.card)
        return build_graph(arrays, self.card, part, sides, quantised=quantised, banded=banded, source=str(self.path))
