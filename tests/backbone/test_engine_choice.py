"""Which engine a name gives, and what is said where it cannot."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from googlenet_rcnn.backbone import engine_choice
from googlenet_rcnn.backbone.engine_choice import RUNTIMES, load_engine
from googlenet_rcnn.core.errors import ModelError, UsageError


@pytest.fixture
def world(monkeypatch):
    """What is installed, whether there is a GPU, the Card's ranges; engines are only named."""
    here = SimpleNamespace(installed={"torch", "onnx", "onnxruntime", "openvino"}, gpu=False, ranges=None, asked=[])
    card = SimpleNamespace(arch="googlenet", ranges=None, crop_side=96)

    def source(path):
        card.ranges = here.ranges
        return SimpleNamespace(path=path, card=card)

    def fastest(candidates, load, *settings):
        here.asked.append((tuple(candidates), settings[:-1]))
        return load(candidates[-1])

    def load(source, part, name, sides, threads, say):
        return (name, part, sides, threads)

    monkeypatch.setattr(engine_choice, "EngineSource", source)
    monkeypatch.setattr(engine_choice, "find_spec", lambda name: name in here.installed or None)
    monkeypatch.setattr(engine_choice, "_gpu", lambda: here.gpu)
    monkeypatch.setattr(engine_choice, "fastest", fastest)
    here.load_really = engine_choice._load
    monkeypatch.setattr(engine_choice, "_load", load)
    engine_choice._told().clear()
    return here


W = Path("w.safetensors")


@pytest.mark.parametrize("name", RUNTIMES[1:])
def test_a_name_gives_its_engine(world, name) -> None:
    assert load_engine(W, "trunk", name, 448, threads=3) == (name, "trunk", (448, 448), 3)
    assert world.asked == []


def test_auto_measures_what_is_installed(world) -> None:
    world.ranges = {"conv1": 1.0}
    assert load_engine(W, threads=2)[0] == "openvino-int8"
    candidates, settings = world.asked.pop()
    assert candidates == ("onnxruntime", "openvino", "openvino-int8")
    assert settings == ("googlenet", "scores", (96, 96), 2)
    world.installed.discard("onnxruntime")
    load_engine(W, side=(64, 96), part="trunk", threads=2)
    assert world.asked.pop() == (("openvino", "openvino-int8"), ("googlenet", "trunk", (64, 96), 2))


def test_without_ranges_int8_is_not_tried_and_that_is_said_once(world) -> None:
    said = []
    for _ in range(2):
        load_engine(W, say=said.append)
    assert world.asked[0][0] == ("onnxruntime", "openvino")
    assert len(said) == 1
    assert "measure-ranges" in said[0]


def test_nothing_is_measured_where_there_is_no_choice(world) -> None:
    world.installed = {"torch", "onnx", "onnxruntime"}
    assert load_engine(W)[0] == "onnxruntime"
    world.installed = {"torch", "openvino", "onnxruntime"}  # nothing can be built without onnx
    assert load_engine(W)[0] == "torch"
    world.installed, world.gpu = {"torch", "onnx", "openvino", "onnxruntime"}, True
    assert load_engine(W)[0] == "torch"
    assert world.asked == []


def test_threads_are_the_processors_otherwise(world) -> None:
    assert load_engine(W, runtime="openvino")[3] == engine_choice._processors() >= 1


def test_unknown_and_missing_runtimes(world, monkeypatch) -> None:
    with pytest.raises(UsageError, match="there is no runtime 'onnx': choose one of auto, torch"):
        load_engine(W, runtime="onnx")
    monkeypatch.setattr(engine_choice, "_load", world.load_really)
    world.installed = set()
    for name in RUNTIMES[1:]:
        with pytest.raises(ModelError, match=f"pip install {name.split('-')[0]}") as caught:
            load_engine(W, runtime=name)
        assert caught.value.code == "RUNTIME_MISSING"


def test_torch_is_not_imported_to_look_for_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr(engine_choice, "Path", lambda path: SimpleNamespace(exists=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert not engine_choice._gpu()
