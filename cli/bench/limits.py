"""What the processor can compute at best, measured: the speed that a runtime's is a fraction of.

Large matrix products and convolutions have nothing to wait for but the arithmetic units. Which library gets nearest
differs from processor to processor, so several try, and the best of them is the limit.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..packages import installed

__all__ = ["build_limits"]

_SIDE = 1536  # of the matrices: three of them are larger than a second-level cache, and take a twentieth of a second
_CHANNELS, _MAP, _LAYERS = 256, 28, 8
_REPEATED = 4  # so that a measurement takes some tenths of a second


def build_limits(threads: int, bf16: bool = False) -> dict[str, Callable[[], float]]:
    """Works by name (`fp32 by numpy`, `int8 by openvino`, ...); each returns the GFLOP, or 10^9 operations, it did.

    Where OpenVINO is not installed, nothing here computes in 8 bits; `bf16` adds what this takes.
    """
    works: dict[str, Callable[[], float]] = {"fp32 by numpy": _numpy_product(threads)}
    if installed("openvino") is not None:
        works["fp32 by openvino"] = _convolutions(threads, "f32")
        works["int8 by openvino"] = _convolutions(threads, "i8")
        if bf16:
            works["bf16 by openvino"] = _convolutions(threads, "bf16")
    return works


def _numpy_product(threads: int) -> Callable[[], float]:
    from threadpoolctl import ThreadpoolController

    left, right = np.random.default_rng(0).random((2, _SIDE, _SIDE), dtype=np.float32)
    out = np.empty_like(left)
    pools = ThreadpoolController()

    def multiply() -> float:
        with pools.limit(limits=threads, user_api="blas"):
            for _ in range(_REPEATED):
                np.matmul(left, right, out=out)
        return _REPEATED * 2 * _SIDE**3 / 1e9

    return multiply


def _convolutions(threads: int, precision: str) -> Callable[[], float]:
    """A chain of 3x3 convolutions on as many images at a time as there are threads."""
    from googlenet_rcnn.backbone.runtime_import import import_openvino, openvino_core

    openvino = import_openvino()
    streams = max(1, threads)
    settings: dict[str, Any] = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
    }
    compiled = openvino_core().compile_model(_chain(quantised=precision == "i8"), "CPU", settings)
    queue = openvino.AsyncInferQueue(compiled, streams)
    image = np.full((1, _CHANNELS, _MAP, _MAP), 0.5, dtype=np.float32)
    operations = 2 * _LAYERS * (3 * _CHANNELS * _MAP) ** 2

    def convolve() -> float:
        for _ in range(_REPEATED * streams):
            queue.start_async({0: image})
        queue.wait_all()
        return _REPEATED * streams * operations / 1e9

    return convolve


def _chain(quantised: bool) -> Any:
    from googlenet_rcnn.backbone.runtime_import import import_openvino

    openvino = import_openvino()
    ops = openvino.opset13

    def quantise(x: Any) -> Any:
        low, high = np.float32(0), np.float32(2.55)
        return ops.fake_quantize(x, low, high, low, high, 256) if quantised else x

    random = np.random.default_rng(0)
    given = ops.parameter([1, _CHANNELS, _MAP, _MAP], np.float32)
    x = quantise(given)
    for _ in range(_LAYERS):
        weights = random.integers(-64, 64, (_CHANNELS, _CHANNELS, 3, 3)).astype(np.int8)
        # Whole numbers with a scale, which the compiler keeps as 8 bits where activations have 8 bits too.
        scaled = ops.multiply(ops.convert(ops.constant(weights), np.float32), np.float32(1e-3))
        x = quantise(ops.relu(ops.convolution(x, scaled, [1, 1], [1, 1], [1, 1], [1, 1])))
    return openvino.Model([x], [given])
