"""The network run by OpenVINO: every crop by itself, as many at a time as there are threads.

One crop at a time is as fast as eight (a thread's share of the cache holds its activations), needs no
padding of a last batch, and makes a row independent of its company to the last bit.
"""

from collections import deque
from collections.abc import Callable
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .engine import Part, check_pixels
from .engine_cache import cached_bytes, describe_processor
from .engine_source import EngineSource
from .runtime_import import import_openvino, openvino_core

if TYPE_CHECKING:
    from openvino import Core, InferRequest

__all__ = ["OpenVinoEngine"]


class OpenVinoEngine:
    """One thread for each crop; the map of a whole image is worked on by all threads together."""

    def __init__(self, name: str, compiled: Any, streams: int) -> None:
        self._name = name
        # Two requests a stream: when one is done another is waiting, also if a neighbour takes longer.
        self._requests = [compiled.create_infer_request() for _ in range(2 * streams)]
        self._sides = tuple(compiled.input(0).shape)[1:3]
        self._shape = tuple(compiled.output(0).shape)[1:]
        self._lock = Lock()  # the requests serve one caller at a time

    @classmethod
    def load(
        cls,
        source: EngineSource,
        part: Part,
        sides: tuple[int, int],
        threads: int,
        say: Callable[[str], None],
        quantised: bool = False,
    ) -> "OpenVinoEngine":
        """The engine of a checkpoint's part; it is compiled for this processor at the first use.

        `quantised` computes with bytes; otherwise with bfloat16 where the processor has it, or float32.
        """
        openvino = import_openvino()
        core = openvino_core()
        half = not quantised and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        streams = 1 if part == "trunk" else threads
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same processors
        }
        name = source.name(
            "openvino",
            part=part,
            sides=sides,
            quantised=quantised,
            settings=settings,
            version=openvino.get_version(),
            processor=describe_processor(),
        )

        def build() -> bytes:
            compiled = _compile(core, source.graph(part, sides, quantised=quantised), sides, settings)
            exported: BytesIO = compiled.export_model()
            return exported.getvalue()

        compiled = core.import_model(BytesIO(cached_bytes(name, build, say)), "CPU", settings)
        return cls("openvino-int8" if quantised else "openvino-bf16" if half else "openvino", compiled, streams)

    @property
    def name(self) -> str:
        """The runtime and what it computes in."""
        return self._name

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Numbers [N,...] of RGB pixels [N,H,W,3]; those of an image depend on no other."""
        check_pixels(pixels, self._sides)
        result = np.empty((len(pixels), *self._shape), dtype=np.float32)
        # No callbacks: they would be Python code in the runtime's own threads, where one that has not quite
        # returned when the interpreter ends aborts the whole process.
        with self._lock:
            busy: deque[int] = deque()
            try:
                for row in range(len(pixels)):
                    if len(busy) == len(self._requests):
                        self._collect(busy[0], result)
                        busy.popleft()
                    busy.append(row)
                    self._request(row).start_async({0: pixels[row : row + 1]})
                while busy:
                    self._collect(busy[0], result)
                    busy.popleft()
            finally:  # when interrupted, the next caller must find the requests at rest
                for row in busy:
                    self._request(row).wait()
        return result

    def _request(self, row: int) -> "InferRequest":
        return self._requests[row % len(self._requests)]

    def _collect(self, row: int, result: NDArray[np.float32]) -> None:
        request = self._request(row)
        request.wait()
        result[row] = request.get_output_tensor(0).data[0]


def _compile(core: "Core", graph: bytes, sides: tuple[int, int], settings: dict[str, Any]) -> Any:
    model = core.read_model(graph)
    model.reshape([1, *sides, 3])
    return core.compile_model(model, "CPU", settings)
