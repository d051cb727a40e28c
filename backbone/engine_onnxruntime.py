"""The network run by ONNX Runtime in fp32: every crop by itself, as many at a time as there are threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .engine import Part, check_pixels
from .engine_cache import cached_bytes
from .engine_source import EngineSource
from .runtime_import import import_onnxruntime

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["OnnxRuntimeEngine"]


class OnnxRuntimeEngine:
    """One session that several threads call; the map of a whole image is worked on by all threads together."""

    name = "onnxruntime"

    def __init__(self, session: "InferenceSession", workers: int) -> None:
        self._session = session
        self._pool = ThreadPoolExecutor(workers, "onnxruntime")
        self._sides = tuple(session.get_inputs()[0].shape[1:3])
        self._shape = tuple(session.get_outputs()[0].shape[1:])

    @classmethod
    def load(
        cls, source: EngineSource, part: Part, sides: tuple[int, int], threads: int, say: Callable[[str], None]
    ) -> "OnnxRuntimeEngine":
        """The engine of a checkpoint's part; its graph is written at the first use."""
        onnxruntime = import_onnxruntime()
        name = source.name("onnx", part=part, sides=sides, banded=True)
        graph = cached_bytes(name, lambda: source.graph(part, sides, banded=True), say)
        workers = 1 if part == "trunk" else threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads // workers
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return cls(session, workers)

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Numbers [N,...] of RGB pixels [N,H,W,3]; those of an image depend on no other."""
        check_pixels(pixels, self._sides)
        result = np.empty((len(pixels), *self._shape), dtype=np.float32)

        def look(row: int) -> None:
            result[row] = self._session.run(None, {"pixels": pixels[row : row + 1]})[0][0]

        for _ in self._pool.map(look, range(len(pixels))):
            pass
        return result
