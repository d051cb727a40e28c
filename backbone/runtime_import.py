"""Inference runtimes without what they do beside: both would send messages home and keep an identity of the user."""

import importlib
import os
import sys
from types import ModuleType
from typing import Any, cast

__all__ = ["import_onnxruntime", "import_openvino"]

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
