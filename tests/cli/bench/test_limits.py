from importlib.util import find_spec

import numpy as np
import pytest

from googlenet_rcnn.backbone.runtime_import import import_openvino
from googlenet_rcnn.cli.bench import limits as bench_limits
from googlenet_rcnn.cli.bench.limits import build_limits

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")


@pytest.fixture
def small(monkeypatch):
    """Matrices and maps that are no measurement but take no time."""
    for name, value in (("_SIDE", 32), ("_CHANNELS", 16), ("_MAP", 6), ("_LAYERS", 2)):
        monkeypatch.setattr(bench_limits, name, value)


def test_without_openvino_numpy_alone_tries(small, monkeypatch):
    monkeypatch.setattr(bench_limits, "installed", lambda name: None)
    works = build_limits(1, bf16=True)
    assert list(works) == ["fp32 by numpy"]
    assert works["fp32 by numpy"]() == pytest.approx(4 * 2 * 32**3 / 1e9)


@needs_openvino
def test_every_work_tells_what_it_did(small):
    works = build_limits(2)
    assert list(works) == ["fp32 by numpy", "fp32 by openvino", "int8 by openvino"]
    operations = 2 * 16 * 16 * 3 * 3 * 6 * 6 * 2
    for name in ("fp32 by openvino", "int8 by openvino"):
        assert works[name]() == pytest.approx(4 * 2 * operations / 1e9)  # four times an image for each thread


@needs_openvino
def test_bf16_is_tried_where_the_processor_has_it(small):
    works = build_limits(1, bf16=True)
    assert works["bf16 by openvino"]() > 0


@needs_openvino
def test_the_convolutions_of_eight_bits_are_compiled_to_eight_bits(small):
    openvino = import_openvino()

    def precisions(quantised):
        compiled = openvino.Core().compile_model(
            bench_limits._chain(quantised), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
        )
        layers = [layer.get_rt_info() for layer in compiled.get_runtime_model().get_ordered_ops()]
        kinds = [info["primitiveType"].value for info in layers if info["layerType"].value == "Convolution"]
        assert len(kinds) == 2
        return {str(kind).lower().rsplit("_", 1)[-1] for kind in kinds}

    assert precisions(False) == {"f32"}
    assert precisions(True) <= {"i8", "u8"}


@needs_openvino
def test_both_chains_compute_the_same_up_to_rounding(small):
    openvino = import_openvino()
    image = np.full((1, 16, 6, 6), 0.5, dtype=np.float32)
    plain, quantised = (
        openvino.Core().compile_model(bench_limits._chain(one), "CPU")({0: image})[0] for one in (False, True)
    )
    assert plain.std() > 0
    np.testing.assert_allclose(quantised, plain.clip(0, 2.55), atol=0.05)
