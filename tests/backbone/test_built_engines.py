"""Engines built from a checkpoint give what torch gives, row by row, and do nothing else."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from drawn_networks import NORMALISED, Drawn, draw, pixels

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine_cache import cache_folder
from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.backbone.engine_source import EngineSource
from googlenet_rcnn.backbone.engine_torch import TorchEngine
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.errors import ModelError

pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("one_thread")

RUNTIMES = ("onnxruntime", "openvino", "openvino-int8")


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """The user's cache folder, for these tests alone."""
    before, here = os.environ.get("XDG_CACHE_HOME"), tmp_path_factory.mktemp("engines")
    os.environ["XDG_CACHE_HOME"] = str(here)
    yield here
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="module")
def drawn(folder) -> Drawn:
    return draw(folder)


@pytest.fixture(scope="module", params=RUNTIMES)
def engine(request, drawn):
    pytest.importorskip(request.param.split("-")[0])
    return load_engine(drawn.path, runtime=request.param, threads=2)


def close(engine, drawn: Drawn, part: str, images: np.ndarray) -> bool:
    """Whether the numbers are torch's, up to what the engine's arithmetic allows."""
    wanted = TorchEngine(drawn.network, drawn.card, part).run(images)
    got = engine.run(images)
    assert (got.shape, got.dtype) == (wanted.shape, np.float32)
    error = float(np.abs(got - wanted).max() / np.abs(wanted).max())
    return error < {"openvino-int8": 0.1, "openvino-bf16": 0.03}.get(engine.name, 1e-4)


def test_numbers_are_those_of_torch(engine, drawn) -> None:
    assert close(engine, drawn, "scores", pixels(3, seed=2))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_so_are_the_features(runtime, drawn) -> None:
    pytest.importorskip(runtime.split("-")[0])
    assert close(load_engine(drawn.path, "features", runtime, threads=2), drawn, "features", pixels(2, seed=4))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_so_is_the_map_of_a_whole_image(runtime, drawn) -> None:
    pytest.importorskip(runtime.split("-")[0])
    whole = load_engine(drawn.path, "trunk", runtime, (96, 160), threads=2)
    assert close(whole, drawn, "trunk", pixels(2, 96, 160))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_so_is_the_other_architecture(runtime, folder) -> None:
    pytest.importorskip(runtime.split("-")[0])
    pytest.importorskip("torchvision")
    drawn = draw(folder, NORMALISED)
    assert close(load_engine(drawn.path, runtime=runtime, threads=1), drawn, "scores", pixels(1, seed=3))


def test_a_row_depends_on_no_other(engine) -> None:
    images = pixels(5, seed=4)
    together = engine.run(images)
    assert len(np.unique(together, axis=0)) == 5
    for rows in ([0], [3], [4, 1], [2, 2, 0]):
        assert np.array_equal(engine.run(images[rows]), together[rows])


def test_no_images_give_no_rows(engine) -> None:
    assert engine.run(pixels(2)[:0]).shape == (0, 3 + 4 * 2)


def test_images_need_not_lie_side_by_side_and_stay_as_they_are(engine) -> None:
    images = pixels(4, seed=6)
    kept, result = images.copy(), engine.run(images)
    images.flags.writeable = False
    assert np.array_equal(engine.run(images[::2]), result[::2])
    mirrored = images[:1, :, ::-1]
    assert np.array_equal(engine.run(mirrored), engine.run(mirrored.copy()))
    assert np.array_equal(images, kept)


def test_several_threads_may_ask_at_once(engine) -> None:
    images = [pixels(2, seed=seed) for seed in range(4)]
    alone = [engine.run(one) for one in images]
    with ThreadPoolExecutor(4) as pool:
        assert all(map(np.array_equal, pool.map(engine.run, images), alone))


def test_other_pixels_are_refused_and_the_engine_goes_on(engine) -> None:
    good = engine.run(pixels(1))
    for wrong in (pixels(1, 64, 64), pixels(1)[0], pixels(1)[..., :1], pixels(1).astype(np.float32)):
        with pytest.raises(ValueError, match=r"pixels are uint8 \[N,224,224,3\], got"):
            engine.run(wrong)
    assert np.array_equal(engine.run(pixels(1)), good)


def test_bytes_are_added_without_clipping(drawn) -> None:
    """OpenVINO's integer arithmetic gives what the graph says, also where a processor has no VNNI."""
    pytest.importorskip("openvino")
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    graph = EngineSource(drawn.path).graph("scores", (224, 224), quantised=True)
    bright = np.full((1, 224, 224, 3), 255, np.uint8)
    images = np.concatenate([pixels(2, seed=7), bright])
    exact = onnxruntime.InferenceSession(graph, options).run(None, {"pixels": images})[0]
    got = load_engine(drawn.path, runtime="openvino-int8", threads=1).run(images)
    # Rounding may tip a byte here and there; clipping would be an order of magnitude more.
    assert np.abs(got - exact).max() < 0.03 * np.abs(exact).max()


def test_other_weights_give_another_engine(drawn, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "same-name.safetensors"
    path.write_bytes(drawn.path.read_bytes())
    before = load_engine(path, runtime="onnxruntime", threads=1).run(pixels(1))
    count = len(list(cache_folder().iterdir()))
    tensors = read_tensors(path)
    tensors["classifier.bias"] += 1
    save_weights(path, tensors, read_card(path))
    after = load_engine(path, runtime="onnxruntime", threads=1).run(pixels(1))
    np.testing.assert_allclose(after[:, :3], before[:, :3] + 1, atol=1e-4)
    assert len(list(cache_folder().iterdir())) == count + 1
    load_engine(path, runtime="onnxruntime", threads=1)
    assert len(list(cache_folder().iterdir())) == count + 1


def test_files_that_are_no_checkpoints(tmp_path) -> None:
    pytest.importorskip("openvino")
    with pytest.raises(ModelError, match="cannot read weights"):
        load_engine(tmp_path / "absent", runtime="openvino")
    (tmp_path / "rubbish").write_bytes(b"x" * 100)
    with pytest.raises(ModelError):
        load_engine(tmp_path / "rubbish", runtime="openvino")


def test_int8_needs_ranges(drawn, tmp_path) -> None:
    pytest.importorskip("openvino")
    path = tmp_path / "bare.safetensors"
    save_weights(path, read_tensors(drawn.path), read_card(drawn.path).model_copy(update={"ranges": None}))
    with pytest.raises(ModelError, match=r"bare\.safetensors has no ranges"):
        load_engine(path, runtime="openvino-int8")


_PROCESS = """
import sys
from pathlib import Path
import numpy as np
from googlenet_rcnn.backbone.engine_choice import load_engine
engine = load_engine(Path(sys.argv[1]), runtime=sys.argv[2], threads=1)
print(engine.run(np.zeros((1, 224, 224, 3), np.uint8)).tobytes().hex())
odd = {"torch", "torchvision", "openvino_telemetry", "openvino.tools.ovc"} & sys.modules.keys()
assert not odd, odd
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_process_of_its_own_imports_no_torch_and_keeps_no_identity(runtime, drawn, tmp_path) -> None:
    pytest.importorskip(runtime.split("-")[0])
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", _PROCESS, str(drawn.path), runtime]
    runs = [subprocess.run(command, capture_output=True, text=True, env=environment, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout != ""  # built, then found again
    assert [run.stderr for run in runs] == ["", ""]
    assert list(home.iterdir()) == []
    assert [path.name for path in cache.iterdir()] == ["googlenet-rcnn"]
    written = [Path(place) / name for place, _, names in os.walk(cache) for name in names]
    assert len(written) == 1
    rows = np.frombuffer(bytes.fromhex(runs[0].stdout.strip()), np.float32)
    assert np.isfinite(rows).all()


@pytest.mark.slow
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_process_that_ends_right_after_a_run_ends_well(runtime, drawn) -> None:
    """Python code in a runtime's own threads would abort some of these processes."""
    pytest.importorskip(runtime.split("-")[0])
    code = _PROCESS + "for _ in range(24): engine.run(np.zeros((1, 224, 224, 3), np.uint8))\nsys.exit(3)\n"
    command = [sys.executable, "-c", code, str(drawn.path), runtime]
    ends = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(12)]
    assert [(end.returncode, end.stderr) for end in ends] == [(3, "")] * 12


def test_an_interrupted_run_leaves_the_engine_usable(drawn, monkeypatch) -> None:
    pytest.importorskip("openvino")
    engine = load_engine(drawn.path, runtime="openvino", threads=2)
    images = pixels(9, seed=8)
    whole = engine.run(images)
    collect, seen = type(engine)._collect, []

    def interrupted(self, row, result):
        seen.append(row)
        if len(seen) == 3:
            raise KeyboardInterrupt
        collect(self, row, result)

    monkeypatch.setattr(type(engine), "_collect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.run(images)
    monkeypatch.undo()
    assert np.array_equal(engine.run(images), whole)
