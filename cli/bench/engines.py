"""Every runtime on the same crops in the same rounds as the processor's limit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from googlenet_rcnn.core.errors import ProjectError

from ..machine import Processor
from ..packages import installed
from .limits import build_limits
from .rounds import Rates, interleave

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.engine import Engine

__all__ = ["MEASURED", "EngineSpeeds", "RuntimeSpeed", "measure_engines"]

MEASURED = ("torch", "onnxruntime", "openvino", "openvino-int8")
"""What is measured where it is installed; torch-compile only when asked for."""

_CROPS = 32
_ONES = 4


@dataclass(frozen=True)
class RuntimeSpeed:
    """One runtime: crops per second, seconds for a single crop, what it computes in, and its share of the limit.

    The share is taken of the best rounds on both sides, which are nearest to the computer at rest.
    """

    runtime: str
    precision: str
    crops: Rates
    one: float
    gflops: float
    fraction: float | None


@dataclass(frozen=True)
class EngineSpeeds:
    """Runtimes, the limit of each precision in GFLOP/s (10^9 operations/s), GFLOP for a crop, and what is missing."""

    runtimes: tuple[RuntimeSpeed, ...]
    limits: dict[str, float]
    limit_rounds: dict[str, Rates]
    gflop: float
    notes: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "gflop_per_crop": self.gflop,
            "limits_gflops": self.limits,
            "limit_rounds": {name: list(rates.rounds) for name, rates in self.limit_rounds.items()},
            "runtimes": [
                {
                    "runtime": one.runtime,
                    "precision": one.precision,
                    "crops_per_second": one.crops.median,
                    "best": one.crops.best,
                    "rounds": list(one.crops.rounds),
                    "ms_for_one_crop": one.one * 1000,
                    "gflops": one.gflops,
                    "fraction_of_limit": one.fraction,
                }
                for one in self.runtimes
            ],
            "notes": list(self.notes),
        }


def measure_engines(
    weights: Path,
    runtimes: Sequence[str],
    threads: int,
    seconds: float,
    processor: Processor,
    say: Callable[[str], None],
) -> EngineSpeeds:
    """Speeds of the runtimes that can be loaded, for about so many seconds; the others become notes."""
    from googlenet_rcnn.backbone.checkpoint import network_part, read_arrays, read_card
    from googlenet_rcnn.backbone.operations import multiply_adds

    card = read_card(weights)
    gflop = 2 * multiply_adds(network_part(read_arrays(weights), card), card.crop_side) / 1e9
    bf16 = "bf16" in processor.instructions
    engines, notes = _load(weights, runtimes, threads, say)
    crops = np.random.default_rng(0).integers(0, 256, (_CROPS, card.crop_side, card.crop_side, 3), dtype=np.uint8)
    limits = build_limits(threads, bf16)
    works = dict(limits)
    for name, engine in engines.items():
        works[f"{name}: {_CROPS}"] = _scoring(engine, [crops])
        works[f"{name}: 1"] = _scoring(engine, [crops[row : row + 1] for row in range(_ONES)])
    rates = interleave(works, seconds, say=say)
    best: dict[str, float] = {}
    for name in limits:
        precision = name.split()[0]
        best[precision] = max(best.get(precision, 0.0), rates[name].best)
    speeds = []
    for name in engines:
        speed, precision = rates[f"{name}: {_CROPS}"], _precision(name, bf16)
        limit = best.get(precision)
        gflops = speed.best * gflop
        fraction = None if limit is None else gflops / limit
        speeds.append(RuntimeSpeed(name, precision, speed, 1 / rates[f"{name}: 1"].median, gflops, fraction))
    return EngineSpeeds(tuple(speeds), best, {name: rates[name] for name in limits}, gflop, tuple(notes))


def _load(
    weights: Path, runtimes: Sequence[str], threads: int, say: Callable[[str], None]
) -> tuple[dict[str, "Engine"], list[str]]:
    from googlenet_rcnn.backbone.engine_choice import load_engine

    engines: dict[str, Engine] = {}
    notes = []
    for name in runtimes:
        package = name.split("-")[0]
        if installed(package) is None:
            notes.append(f"{name} is left out: {package} is not installed (pip install {package})")
            continue
        say(f"loading {name}")
        try:
            engines[name] = load_engine(weights, runtime=name, threads=threads, say=say)
        except ProjectError as error:
            notes.append(f"{name} is left out: {error.message}")
    return engines, notes


def _scoring(engine: "Engine", parts: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]) -> Callable[[], float]:
    def score() -> float:
        for part in parts:
            engine.run(part)
        return float(sum(len(part) for part in parts))

    return score


def _precision(runtime: str, bf16: bool) -> str:
    """What a runtime computes in: OpenVINO takes bf16 where the processor has it."""
    if runtime.endswith("int8"):
        return "int8"
    return "bf16" if runtime == "openvino" and bf16 else "fp32"
