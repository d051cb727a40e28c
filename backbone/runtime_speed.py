"""The fastest runtime of this computer, measured at the first use on made-up pixels and remembered."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.store import write_json

from .engine import Engine, Part
from .engine_cache import cache_folder, describe_processor, settings_name
from .engine_source import GRAPH_VERSION

__all__ = ["choose", "fastest"]

_SECONDS = 1.0  # for each runtime
_WORTH = 1.2  # int8 rounds, so it has to be so many times as fast as the best that does not


def fastest(
    candidates: Sequence[str],
    load: Callable[[str], Engine],
    arch: str,
    part: Part,
    sides: tuple[int, int],
    threads: int,
    say: Callable[[str], None],
) -> Engine:
    """The engine of the runtime among `candidates` that was, or now is, measured to be the fastest here.

    What is remembered holds for a processor, versions of packages, and all that is given here.
    """
    key = settings_name(
        {
            "processor": describe_processor(),
            "versions": {name: version(name) for name in candidates if "-" not in name},
            "candidates": list(candidates),
            "arch": arch,
            "part": part,
            "sides": sides,
            "threads": threads,
            "graph": GRAPH_VERSION,
        }
    )
    known = _read().get(key)
    if isinstance(known, dict) and known.get("runtime") in candidates:
        return load(known["runtime"])
    engines = {name: load(name) for name in candidates}
    speeds = _measure(engines, (1 if part == "trunk" else threads, *sides, 3))
    chosen = choose(speeds)
    told = ", ".join(f"{name} {speed:.3g}" for name, speed in speeds.items())
    say(f"runtime {chosen} is used: images a second on this processor are {told} ({part}, {sides[0]}x{sides[1]})")
    _remember(key, {"runtime": chosen, "images_per_second": {k: round(v, 2) for k, v in speeds.items()}}, say)
    return engines[chosen]


def choose(speeds: dict[str, float]) -> str:
    """The fastest runtime, where int8 counts only if it is clearly faster than every other."""
    exact = {name: speed for name, speed in speeds.items() if not name.endswith("int8")}
    best = max(exact, key=exact.__getitem__)
    rounding = {name: speed for name, speed in speeds.items() if name not in exact}
    quickest = max(rounding, key=rounding.__getitem__, default=best)
    return quickest if speeds[quickest] >= _WORTH * speeds[best] else best


def _measure(engines: dict[str, Engine], shape: tuple[int, ...]) -> dict[str, float]:
    """Images a second: the best of several turns, taken by turns so that a busy computer slows all alike."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    best = {name: _turn(engine, pixels) for name, engine in engines.items()}
    until = time.perf_counter() + _SECONDS * len(engines)
    while time.perf_counter() < until:
        for name, engine in engines.items():
            best[name] = min(best[name], _turn(engine, pixels))
    return {name: len(pixels) / seconds for name, seconds in best.items()}


def _turn(engine: Engine, pixels: NDArray[np.uint8]) -> float:
    start = time.perf_counter()
    engine.run(pixels)
    return time.perf_counter() - start


def _read() -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads((cache_folder() / "runtimes.json").read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def _remember(key: str, choice: dict[str, Any], say: Callable[[str], None]) -> None:
    try:
        path = cache_folder() / "runtimes.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, _read() | {key: choice})
    except (ProjectError, OSError) as error:
        say(f"note: the choice is not kept, the next start measures again ({error})")
