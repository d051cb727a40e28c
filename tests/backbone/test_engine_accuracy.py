"""What int8 costs in accuracy, on the published network and on a detector's crops; minutes long."""

import os

import numpy as np
import pytest
from shared_data import SHARED, needs_shared

from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.backbone.importing import import_weights
from googlenet_rcnn.backbone.multicrop import multicrop
from googlenet_rcnn.backbone.softmax import softmax
from googlenet_rcnn.cli.measure_ranges import run_measure_ranges
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.range_crops import random_crops
from googlenet_rcnn.detector.warp import Warp

pytest.importorskip("openvino")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.slow, needs_shared]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _voc_train() -> list[str]:
    return [str(sample.path) for sample in read_voc(SHARED / "VOCdevkit" / "VOC2007", "train").samples[::80]]


def test_int8_knows_imagenet_as_well_as_float(tmp_path) -> None:
    """Torch in float32 has 73.8 % top-1 on these images; ranges come from others, so that they tell nothing of these.

    Of the thousand answers about 37 differ from float's, so a few images more or less are chance.
    """
    bare, weights = tmp_path / "bare.safetensors", tmp_path / "weights.safetensors"
    import_weights(SHARED / "weights" / "bvlc_googlenet.safetensors", bare, load_labels("imagenet1k").names)
    pictures = sorted((SHARED / "imagenet-sample").glob("*/*.jpg"))
    run_measure_ranges(str(bare), _voc_train(), weights, limit=32)
    engine = load_engine(weights, runtime="openvino-int8")
    right = 0
    for label, picture in enumerate(pictures):
        scores = engine.run(multicrop(read_image(picture).pixels, 1, "cv2.INTER_CUBIC"))
        right += int(scores[0].argmax()) == label
    assert len(pictures) == 1000
    print(f"int8 top-1 {right / 10} %")
    assert abs(right - 738) <= 5


def test_int8_scores_crops_as_float_does(tmp_path) -> None:
    """Windows around the objects of VOC and at random, by the twin, which has not been trained on val."""
    twin = os.path.join(os.path.dirname(__file__), "../../benchmarks/accuracy/voc07-twin.safetensors")
    devkit, weights = SHARED / "VOCdevkit" / "VOC2007", tmp_path / "weights.safetensors"
    run_measure_ranges(twin, _voc_train(), weights, limit=32)
    rough, exact = (load_engine(weights, runtime=runtime) for runtime in ("openvino-int8", "onnxruntime"))
    warp, random, crops = Warp(), np.random.default_rng(0), []
    for sample in read_voc(devkit, "val").samples[::100]:
        pixels = read_image(sample.path).pixels
        boxes = sample.truth.boxes
        crops += [random_crops(pixels, warp, random), warp.crops(pixels, Boxes(boxes.coordinates[:4], boxes.size))]
    images = np.concatenate(crops)
    wanted, got = softmax(exact.run(images)[:, :21]), softmax(rough.run(images)[:, :21])
    best = wanted.argmax(axis=1)
    rows = np.arange(len(best))
    moved = np.abs(got - wanted)[rows, best]
    agreed = float((got.argmax(axis=1) == best).mean())
    print(f"{len(best)} crops: best class moves by {moved.mean():.4f}, at most {moved.max():.3f}; {agreed:.1%} agree")
    assert moved.mean() < 0.015
    assert agreed > 0.98
