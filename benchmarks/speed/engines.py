"""Part engines: every runtime in the same rounds as ONNX Runtime in fp32 and as the processor's limit."""

import sys

from settings import Part, Settings

from googlenet_rcnn.api.weights_files import find_weights
from googlenet_rcnn.cli.bench.engines import MEASURED, measure_engines
from googlenet_rcnn.cli.bench.run import engine_table
from googlenet_rcnn.cli.machine import read_processor

__all__ = ["measure"]


def measure(settings: Settings, runtimes: tuple[str, ...] = MEASURED) -> Part:
    """Crops per second of each runtime, for about `seconds` in all."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    weights = find_weights(settings.weights)
    speeds = measure_engines(weights, runtimes, settings.threads, settings.seconds, read_processor(), say)
    return Part(engine_table(speeds, against="onnxruntime"), speeds.content())
