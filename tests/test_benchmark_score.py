"""What is kept of scores, and the whole way from images to the file, by any runtime."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.regions import GoogLeNetRegions

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "accuracy"
LABELS = ("cat", "dog")
SIZE = Size(60, 80)
BOXES = [[0, 0, 80, 60], [5, 5, 40, 50], [30, 10, 79, 59]]


@pytest.fixture
def kept(monkeypatch):
    """The class `Kept` of the benchmark, whose file is no module of the package."""
    before = sys.modules.pop("score", None)
    monkeypatch.syspath_prepend(FOLDER)
    yield import_module("score").Kept
    del sys.modules["score"]
    if before is not None:
        sys.modules["score"] = before


def drawn(count: int, seed: int, moves: bool = True) -> RegionScores:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(4), count).astype(np.float32).reshape(-1, 4)
    return RegionScores(probabilities, random.normal(size=(count, 3, 4)).astype(np.float32) if moves else None)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("least", [0.0, 0.3, 1.1])
def test_what_is_kept_is_every_probability_that_is_large_enough(kept, mirror, least) -> None:
    columns = kept(least)
    whole = {(0, 0): drawn(5, 0), (2, 0): drawn(3, 1), (2, 3): drawn(2, 2)}
    for (image, first), scores in whole.items():
        columns.add(image, first, scores)
    found = columns.arrays(mirror)
    expected = [
        (image, first + box, label, scores.probabilities[box, 1 + label], scores.offsets[box, label])
        for (image, first), scores in whole.items()
        for box in range(len(scores.probabilities))
        for label in range(3)
        if scores.probabilities[box, 1 + label] >= least
    ]
    assert list(found) == ["image", "box", "label", "probability", "offsets"]
    for number, name in enumerate(("image", "box", "label", "probability")):
        assert found[name].tolist() == [row[number] for row in expected]
    moves = np.array([row[4] for row in expected]).reshape(-1, 4) * ((-1, 1, 1, 1) if mirror else 1)
    np.testing.assert_allclose(found["offsets"], moves, atol=2e-3)


def test_nothing_seen_is_a_file_without_rows_and_a_network_that_moves_nothing_has_offsets_of_zero(kept) -> None:
    assert {name: len(column) for name, column in kept(0.1).arrays(False).items()} == dict.fromkeys(
        ("image", "box", "label", "probability", "offsets"), 0
    )
    still = kept(0.0)
    still.add(0, 0, drawn(4, 0, moves=False))
    assert not still.arrays(True)["offsets"].any()
    assert len(still.arrays(True)["box"]) == 12


def test_the_command_keeps_what_the_network_says(tmp_path) -> None:
    torch.manual_seed(0)
    card = Card(task="detector", labels=LABELS, warp_side=64, box_regression=True)
    weights = tmp_path / "detector.safetensors"
    save_weights(weights, build_network(card).state_dict(), card)
    xml = {name: annotation(thing("cat", (6, 6, 30, 40)), size=SIZE) for name in ("000001", "000002")}
    devkit(tmp_path / "kit", xml, split="val")
    pixels = {}
    for number, name in enumerate(xml):
        image = np.roll(photo(*SIZE), 20 * number, axis=1)
        path = write(tmp_path / "kit" / "VOC2007" / "JPEGImages", f"{name}.jpg", encoded(image, "JPEG"))
        pixels[name] = read_image(path).pixels
    rows = [
        {
            "schema": 1, "image_id": name, "path": "x", "width": 80, "height": 60, "status": "ok",
            "boxes": BOXES if name == "000001" else [], "scores": [3, 2, 1][: 3 * (name == "000001")],
            "sources": ["ss"] * (3 * (name == "000001")),
        }
        for name in xml
    ]  # fmt: skip
    boxes = write(tmp_path, "boxes.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    flags = ["--data", tmp_path / "kit", "--proposals", boxes, "--weights", weights, "--keep", "0"]
    command = [sys.executable, FOLDER / "score.py", *flags, "--workers", "2", "--out", tmp_path / "kept.npz"]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "torch, 1 chunks, 6 scores kept" in result.stderr
    model = GoogLeNetRegions.load(weights, "torch")
    expected = model.score(model.warp.crops(pixels["000001"], Boxes(np.array(BOXES, np.float32), SIZE)))
    with np.load(tmp_path / "kept.npz") as found:
        assert found["image"].tolist() == [0] * 6
        assert found["box"].tolist() == [0, 0, 1, 1, 2, 2]
        assert found["label"].tolist() == [0, 1] * 3
        np.testing.assert_allclose(found["probability"], expected.probabilities[:, 1:].ravel(), rtol=1e-4)
        np.testing.assert_allclose(found["offsets"], expected.offsets.reshape(-1, 4), atol=2e-3, rtol=2e-3)
