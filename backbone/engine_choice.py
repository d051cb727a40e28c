"""Which runtime serves a checkpoint: the one that is asked for, or the fastest on this computer."""

import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from googlenet_rcnn.core.errors import ModelError, UsageError

from .engine import Engine, Part
from .engine_source import EngineSource
from .runtime_speed import fastest

__all__ = ["RUNTIMES", "load_engine"]

RUNTIMES = ("auto", "torch", "torch-compile", "onnxruntime", "openvino", "openvino-int8")


def _quiet(message: str) -> None:
    pass


def load_engine(
    path: Path,
    part: Part = "scores",
    runtime: str = "auto",
    side: int | tuple[int, int] | None = None,
    threads: int | None = None,
    say: Callable[[str], None] = _quiet,
) -> Engine:
    """The engine of a part of a checkpoint's network, for pixels of `side` (a square, or height and width).

    Without `side` they are those of the Card's crops. "auto" is torch where there is a GPU, and otherwise what a
    short measurement at the first use finds to be fastest. UsageError (RUNTIME_UNKNOWN), ModelError (RUNTIME_MISSING)
    with what to install, or ModelError for a checkpoint that cannot be used; an int8 engine needs the ranges of its
    Card.
    """
    if runtime not in RUNTIMES:
        raise UsageError("RUNTIME_UNKNOWN", f"there is no runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}")
    source = EngineSource(path)
    side = source.card.crop_side if side is None else side
    sides = (side, side) if isinstance(side, int) else side
    threads = threads or _processors()

    def load(name: str) -> Engine:
        return _load(source, part, name, sides, threads, say)

    if runtime != "auto":
        return load(runtime)
    if _gpu():
        return load("torch")
    candidates = [name for name in ("onnxruntime", "openvino") if find_spec(name) and find_spec("onnx")]
    if "openvino" in candidates:
        if source.card.ranges:
            candidates.append("openvino-int8")
        else:
            _note(f"note: {path} has no ranges, so int8 is not tried: add them with googlenet-rcnn measure-ranges", say)
    if len(candidates) < 2:
        return load(candidates[0] if candidates else "torch")
    return fastest(candidates, load, source.card.arch, part, sides, threads, say)


def _load(
    source: EngineSource, part: Part, name: str, sides: tuple[int, int], threads: int, say: Callable[[str], None]
) -> Engine:
    package, _, kind = name.partition("-")
    if find_spec(package) is None:
        raise ModelError("RUNTIME_MISSING", f"the runtime {name} needs {package}: pip install {package}")
    if package == "torch":
        from .engine_torch import TorchEngine

        return TorchEngine.load(source.path, part, threads, compiled=kind == "compile")
    if package == "onnxruntime":
        from .engine_onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine.load(source, part, sides, threads, say)
    from .engine_openvino import OpenVinoEngine

    return OpenVinoEngine.load(source, part, sides, threads, say, quantised=kind == "int8")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu() -> bool:
    """Whether torch computes on a GPU; torch is imported only where the driver's device is there."""
    if not Path("/dev/nvidiactl").exists() or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


@cache
def _told() -> set[str]:
    return set()


def _note(message: str, say: Callable[[str], None]) -> None:
    """Says the same thing once in a process."""
    if message not in _told():
        _told().add(message)
        say(message)
