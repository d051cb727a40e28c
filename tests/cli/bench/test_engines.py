"""Speeds of made-up runtimes: what is loaded, left out, and held against which limit."""

import sys
import types

import numpy as np
import pytest

from googlenet_rcnn.backbone import checkpoint
from googlenet_rcnn.cli.bench import engines as bench_engines
from googlenet_rcnn.cli.bench.engines import measure_engines
from googlenet_rcnn.cli.bench.rounds import Rates
from googlenet_rcnn.cli.machine import Processor
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError

PLAIN, BRAINY = (Processor("some", 2, sets) for sets in (("avx2",), ("avx2", "avx512", "bf16")))


class Engine:
    """Remembers how many crops it was given at a time."""

    def __init__(self):
        self.calls = []

    def run(self, pixels):
        assert pixels.dtype == np.uint8
        assert pixels.shape[1:] == (224, 224, 3)
        self.calls.append(len(pixels))
        return np.zeros((len(pixels), 3), dtype=np.float32)


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """Engines by runtime in place of the real ones; limits of 100 and 300; 40 crops/s, or 1/s for single ones."""
    engines = {}

    def load_engine(path, part="scores", runtime="auto", side=224, threads=None, say=None):
        assert threads == 2
        if runtime == "openvino-int8":
            raise ModelError("RANGES_MISSING", "this model has no ranges")
        return engines.setdefault(runtime, Engine())

    def interleave(works, seconds, say):
        assert seconds == 5.0
        done = {name: work() for name, work in works.items()}
        assert done["torch: 32"] == 32
        speeds = {
            "fp32 by numpy": 80.0,
            "fp32 by openvino": 100.0,
            "int8 by openvino": 300.0,
            "bf16 by openvino": 200.0,
        }
        return {name: Rates((speeds.get(name, 40.0 if name.endswith("32") else 8.0),) * 3) for name in works}

    def build_limits(threads, bf16):
        names = ["fp32 by numpy", "fp32 by openvino", "int8 by openvino", *(["bf16 by openvino"] if bf16 else [])]
        return {name: lambda: 1.0 for name in names}

    module = types.ModuleType("googlenet_rcnn.backbone.engine_choice")
    module.load_engine = load_engine
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(bench_engines, "interleave", interleave)
    monkeypatch.setattr(bench_engines, "build_limits", build_limits)
    monkeypatch.setattr(bench_engines, "installed", lambda name: None if name == "onnxruntime" else "1.0")
    monkeypatch.setattr(checkpoint, "read_card", lambda path: Card(labels=("a",)))
    weights = {"conv1.0.weight": np.zeros((64, 3, 7, 7)), "classifier.weight": np.zeros((21, 1024))}
    monkeypatch.setattr(checkpoint, "read_arrays", lambda path: weights)
    return engines


def measure(runtimes, processor=PLAIN):
    return measure_engines("w", runtimes, 2, 5.0, processor, lambda line: None)


def test_each_runtime_scores_many_crops_and_single_ones(parts):
    speeds = measure(("torch", "openvino"))
    assert [one.runtime for one in speeds.runtimes] == ["torch", "openvino"]
    assert parts["torch"].calls == [32, 1, 1, 1, 1]
    assert speeds.runtimes[0].crops.median == 40.0
    assert speeds.runtimes[0].one == pytest.approx(1 / 8)


def test_a_speed_is_held_against_the_best_of_its_precision(parts):
    speeds = measure(("torch", "openvino"))
    gflop = 2 * (64 * 3 * 7 * 7 * 112 * 112 + 21 * 1024) / 1e9
    assert speeds.gflop == pytest.approx(gflop)
    assert speeds.limits == {"fp32": 100.0, "int8": 300.0}
    for one in speeds.runtimes:
        assert one.precision == "fp32"
        assert one.gflops == pytest.approx(40 * gflop)
        assert one.fraction == pytest.approx(40 * gflop / 100)


def test_openvino_is_held_against_bf16_where_there_is_such(parts):
    torch, openvino = measure(("torch", "openvino"), BRAINY).runtimes
    assert (torch.precision, openvino.precision) == ("fp32", "bf16")
    assert torch.fraction == pytest.approx(2 * openvino.fraction)


def test_what_cannot_run_is_a_note(parts):
    speeds = measure(("torch", "onnxruntime", "openvino-int8"))
    assert [one.runtime for one in speeds.runtimes] == ["torch"]
    assert speeds.notes == (
        "onnxruntime is left out: onnxruntime is not installed (pip install onnxruntime)",
        "openvino-int8 is left out: this model has no ranges",
    )


def test_the_content_has_the_same_numbers(parts):
    content = measure(("torch", "openvino-int8")).content()
    (row,) = content["runtimes"]
    assert (row["runtime"], row["crops_per_second"], row["ms_for_one_crop"]) == ("torch", 40.0, 125.0)
    assert row["fraction_of_limit"] == pytest.approx(row["gflops"] / content["limits_gflops"]["fp32"])
    assert content["limit_rounds"]["fp32 by numpy"] == [80.0] * 3
    assert len(content["notes"]) == 1
