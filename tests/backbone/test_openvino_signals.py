"""OpenVINO lends threads a stack for signal handlers; it must never be one that has gone."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")
pytest.importorskip("onnx")

WEIGHTS = Path(__file__).parents[2] / "detector" / "weights" / "voc07.safetensors"

SCRIPT = """
import os, signal, sys
from pathlib import Path
from googlenet_rcnn.backbone.engine_choice import load_engine

heard = []
signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
weights = Path(sys.argv[1])
first, second = load_engine(weights, "trunk", "openvino", 64), load_engine(weights, "trunk", "openvino", 96)
for name in sys.argv[2].split():
    del globals()[name]
    os.kill(os.getpid(), signal.SIGUSR1)
print(len(heard))
"""


@pytest.mark.parametrize("order", ["first second", "second first"])
def test_a_signal_is_heard_in_whatever_order_engines_go(order: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    command = [sys.executable, "-c", SCRIPT, str(WEIGHTS), order]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "2"), ran.stderr
