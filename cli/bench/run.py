"""`bench`: how fast this computer is, each runtime beside what the processor can do, and `detect` stage by stage."""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import Exit, ResourceError, UsageError
from googlenet_rcnn.core.threads import available_threads

from ..inputs import find_images
from ..machine import Processor, read_memory, read_processor
from ..markdown import markdown
from .detecting import DetectSpeed, measure_detect
from .engines import MEASURED, EngineSpeeds, measure_engines
from .pictures import write_photographs

__all__ = ["BenchOptions", "engine_table", "run_bench"]


@dataclass(frozen=True)
class BenchOptions:
    """Everything `bench` can be told."""

    images: tuple[str, ...] = ()
    weights: str = "voc07"
    runtimes: tuple[str, ...] = ()
    all_runtimes: bool = False
    seconds: float = 60.0
    threads: int | None = None
    as_json: bool = False
    quiet: bool = False


def run_bench(options: BenchOptions) -> int:
    """Measures and prints: tables, or JSON; half of the time goes to the runtimes, half to `detect`."""
    from googlenet_rcnn.api.weights_files import find_weights

    def say(line: str) -> None:
        if not options.quiet:
            print(line, file=sys.stderr, flush=True)

    if not 0 < options.seconds < float("inf") or (options.threads is not None and options.threads < 1):
        raise UsageError("FLAG_VALUE", "--seconds is more than 0, --threads at least 1")
    weights = find_weights(options.weights)
    runtimes = options.runtimes or (*MEASURED, *(("torch-compile",) if options.all_runtimes else ()))
    threads = options.threads or available_threads()
    processor = read_processor()
    engines = measure_engines(weights, runtimes, threads, options.seconds / 2, processor, say)
    if not engines.runtimes:
        raise ResourceError("RUNTIME_MISSING", f"no runtime can be measured: {'; '.join(engines.notes)}")
    best = max(engines.runtimes, key=lambda one: one.crops.median)
    # Where one runtime is asked for, detect uses it; otherwise it chooses by itself, as for the user.
    flags = ["--weights", str(weights), "--threads", str(threads)]
    if len(options.runtimes) == 1:
        flags += ["--runtime", options.runtimes[0]]
    with tempfile.TemporaryDirectory(prefix="googlenet-rcnn-bench-") as temporary:
        folder = Path(temporary)
        given = [Path(file.path) for file in find_images(options.images)] if options.images else []
        images = given or write_photographs(folder)
        detection = measure_detect(images, flags, folder, options.seconds / 2, best.crops.median, say)
    if options.as_json:
        print(json.dumps(_content(options, processor, threads, engines, detection), indent=2))
    else:
        print(_text(processor, threads, engines, detection))
    return Exit.OK


def engine_table(engines: EngineSpeeds, against: str = "") -> str:
    """A row for each runtime, fastest first, `against` one of them; and a line for each note."""
    reference = next((one.crops.median for one in engines.runtimes if one.runtime == against), None)
    rows = []
    for one in sorted(engines.runtimes, key=lambda one: -one.crops.median):
        share = "" if one.fraction is None else f"{one.fraction:.0%}"
        cells = [one.runtime, f"{one.crops.median:.1f}", f"{one.crops.best:.1f}", f"{one.one * 1000:.1f}"]
        cells += [f"{one.gflops:.0f}", one.precision, share]
        rows.append(cells + ([f"{one.crops.median / reference:.2f}"] if reference else []))
    head = ["runtime", "crops/s", "best", "ms for 1", "GFLOP/s", "computes in", "of the limit"]
    table = markdown(head + ([f"x {against}"] if reference else []), rows)
    limits = ", ".join(f"{name} {value:.0f}" for name, value in engines.limits.items())
    lines = ["", f"Limits measured in the same rounds, in GFLOP/s: {limits}; a crop is {engines.gflop:.2f} GFLOP."]
    return "\n".join([table, *lines, *(f"note: {note}" for note in engines.notes)])


def _content(
    options: BenchOptions, processor: Processor, threads: int, engines: EngineSpeeds, detection: DetectSpeed
) -> dict[str, Any]:
    return {
        "schema": 1,
        "processor": processor.model,
        "instructions": list(processor.instructions),
        "threads": threads,
        "memory": read_memory().usable,
        "weights": options.weights,
        "engines": engines.content(),
        "detect": detection.content(),
    }


def _text(processor: Processor, threads: int, engines: EngineSpeeds, detection: DetectSpeed) -> str:
    sets = ", ".join(processor.instructions)
    every = detection.exhaustive
    how = f"reckoned from {every.measured} of {every.boxes} boxes" if every.extrapolated else f"{every.boxes} boxes"
    stages = ", ".join(f"{name} {value:.0f}" for name, value in detection.stages.items())
    rows = [
        ["the first use, which prepares what is kept", f"{detection.first_use.seconds:.2f}"],
        ["one image from the shell", f"{detection.start.seconds:.2f}"],
        [f"a further image, mode fast (of {detection.images})", f"{detection.seconds_per_image:.2f}"],
        [f"an image, mode exhaustive ({how})", f"{every.seconds:.2f}"],
    ]
    lines = [
        f"{processor.model} ({sets}), {threads} threads",
        "",
        engine_table(engines),
        "",
        markdown(["detect", "seconds"], rows),
        "",
        f"Median milliseconds of the stages in mode fast: {stages}; {detection.proposals:.0f} proposals.",
        f"Peak memory of detect: {detection.peak / 2**20:.0f} MiB.",
    ]
    return "\n".join(lines)
