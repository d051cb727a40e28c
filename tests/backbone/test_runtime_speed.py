"""The fastest runtime is found once and remembered for as long as nothing it depends on changes."""

import time

import numpy as np
import pytest

from googlenet_rcnn.backbone import runtime_speed
from googlenet_rcnn.backbone.engine_cache import cache_folder
from googlenet_rcnn.backbone.runtime_speed import choose, fastest


class Sleeper:
    """An engine that takes its time for every image."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    def run(self, pixels):
        time.sleep(self.seconds * len(pixels))
        return np.zeros((len(pixels), 3), np.float32)


class Runtimes:
    """Loads engines and keeps a record."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.loaded, self.said = {k.replace("_", "-"): v for k, v in seconds.items()}, [], []

    def fastest(self, threads=1, part="scores", sides=(32, 32), arch="googlenet"):
        self.loaded, self.said = [], []
        return fastest(list(self.seconds), self._load, arch, part, sides, threads, self.said.append).name

    def _load(self, name):
        self.loaded.append(name)
        return Sleeper(name, self.seconds[name])


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runtime_speed, "_SECONDS", 0.02)
    monkeypatch.setattr(runtime_speed, "version", lambda name: "1.0")


def test_measured_once_then_only_the_winner_is_loaded() -> None:
    runtimes = Runtimes(onnxruntime=0.004, openvino=0.001)
    assert runtimes.fastest() == "openvino"
    assert runtimes.loaded == ["onnxruntime", "openvino"]
    assert len(runtimes.said) == 1
    assert runtimes.said[0].startswith("runtime openvino is used: images a second on this processor are onnxruntime ")
    assert runtimes.fastest() == "openvino"
    assert (runtimes.loaded, runtimes.said) == (["openvino"], [])


@pytest.mark.parametrize("change", [{"threads": 2}, {"part": "trunk"}, {"sides": (64, 32)}, {"arch": "googlenet-bn"}])
def test_other_circumstances_are_measured_anew(change) -> None:
    runtimes = Runtimes(onnxruntime=0.001, openvino=0.004)
    runtimes.fastest()
    runtimes.fastest(**change)
    assert len(runtimes.loaded) == 2
    runtimes.fastest()
    assert runtimes.loaded == ["onnxruntime"]


@pytest.mark.parametrize("name", ["version", "describe_processor"])
def test_so_are_other_versions_and_processors(name, monkeypatch) -> None:
    runtimes = Runtimes(onnxruntime=0.001, openvino=0.004)
    runtimes.fastest()
    monkeypatch.setattr(runtime_speed, name, lambda *of: "another")
    runtimes.fastest()
    assert len(runtimes.loaded) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"runtime": "gone"}}'])
def test_a_record_that_cannot_be_used_is_measured_over(content) -> None:
    runtimes = Runtimes(onnxruntime=0.001, openvino=0.004)
    runtimes.fastest()
    path = cache_folder() / "runtimes.json"
    (key,) = runtime_speed._read()
    path.write_text(content.replace("%s", key))
    assert runtimes.fastest() == "onnxruntime"
    assert len(runtimes.loaded) == 2
    assert runtime_speed._read()[key]["runtime"] == "onnxruntime"


def test_a_record_that_cannot_be_kept_is_said() -> None:
    cache_folder().parent.mkdir(parents=True)
    cache_folder().write_text("in the way")
    runtimes = Runtimes(onnxruntime=0.001, openvino=0.004)
    assert runtimes.fastest() == "onnxruntime"
    assert runtimes.said[1].startswith("note: the choice is not kept")


def test_int8_has_to_be_worth_it() -> None:
    assert choose({"onnxruntime": 30, "openvino": 40, "openvino-int8": 47}) == "openvino"
    assert choose({"onnxruntime": 30, "openvino": 40, "openvino-int8": 48}) == "openvino-int8"
    assert choose({"onnxruntime": 30, "openvino": 20}) == "onnxruntime"
    assert choose({"onnxruntime": 30, "openvino": 30}) == "onnxruntime"
