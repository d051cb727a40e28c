"""`export`: one ONNX file, checked, or one clear line."""

import numpy as np
import pytest
from drawn_networks import draw, pixels

from googlenet_rcnn.backbone.engine_torch import TorchEngine

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("flags", [(), ("--int8",), ("--part", "trunk", "--side", "64x96")])
def test_the_file_gives_what_the_model_gives(cli, drawn, tmp_path, flags) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    out = tmp_path / "model.onnx"
    result = cli("export", "--weights", drawn.path, "--out", out, *flags)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith(f"wrote {out}: googlenet, ")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    onnx.checker.check_model(str(out), full_check=True)
    part, sides = ("trunk", (64, 96)) if "trunk" in flags else ("scores", (224, 224))
    images = pixels(1, *sides)
    got = onnxruntime.InferenceSession(str(out)).run(None, {"pixels": images})[0]
    wanted = TorchEngine(drawn.network, drawn.card, part).run(images)
    assert np.abs(got - wanted).max() < (0.2 if flags == ("--int8",) else 1e-4) * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--part", "head"), "--part is scores, features, trunk; got head"),
        (("--side", "big"), "--side is a number of pixels or HEIGHTxWIDTH, got big"),
        (("--side", "448"), "--side 448: scores are those of crops of 224x224 pixels"),
        (("--side", "100", "--part", "trunk"), "--side 100: sides are multiples of 32"),
        (("--side", "0", "--part", "trunk"), "--side 0: sides are multiples of 32"),
    ],
)
def test_flags_that_do_not_fit(cli, drawn, tmp_path, flags, told) -> None:
    result = cli("export", "--weights", drawn.path, "--out", tmp_path / "m.onnx", *flags)
    assert result.exit_code == 2
    assert f"error: FLAG_VALUE: {told}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unasked(cli, drawn, tmp_path) -> None:
    out = tmp_path / "m.onnx"
    out.write_bytes(b"mine")
    result = cli("export", "--weights", drawn.path, "--out", out)
    assert (result.exit_code, out.read_bytes()) == (2, b"mine")
    assert "OUT_EXISTS" in result.stderr
    assert cli("export", "--weights", drawn.path, "--out", out, "--overwrite").exit_code == 0
    assert len(out.read_bytes()) > 1e7
