"""Inference runtimes without what they do beside: both would send messages home and keep an identity of the user."""

import importlib
import os
import sys
from functools import cache
from types import ModuleType
from typing import Any, cast

__all__ = ["import_onnxruntime", "import_openvino", "openvino_core"]

_CONVERTER = "openvino.tools.ovc"


def import_onnxruntime() -> Any:
    """The module `onnxruntime`; ImportError where it is not installed."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the library is loaded; its own call for it comes too late
    return importlib.import_module("onnxruntime")


def import_openvino() -> Any:
    """The module `openvino`; ImportError where it is not installed.

    Its model converter reports every import. Nobody here needs the converter, and OpenVINO does without one
    that cannot be imported; that also takes a third of the time.
    """
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    blocked = _CONVERTER not in sys.modules
    if blocked:
        sys.modules[_CONVERTER] = cast(ModuleType, None)
    try:
        return importlib.import_module("openvino")
    finally:
        if blocked:
            del sys.modules[_CONVERTER]


@cache
def openvino_core() -> Any:
    """OpenVINO's `Core`, one for the whole process; ImportError where it is not installed.

    Each Core gives the thread that first uses it a stack for signal handlers and takes it away when it goes. With
    several that go in another order than they came, the next signal (a Ctrl-C) would find a stack that is gone.
    """
    return import_openvino().Core()
