"""The script that weighs the process over many images."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from googlenet_rcnn.core.store import read_json_lines

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "speed" / "memory.py"
if not SCRIPT.exists():
    pytest.skip("the benchmarks are not here", allow_module_level=True)
SPEC = importlib.util.spec_from_file_location("memory", SCRIPT)
memory = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(memory)


@pytest.mark.parametrize(("slope", "noise"), [(0, 0), (1000, 0), (-3, 0), (40, 5000)])
def test_slope_is_that_of_the_settled_part(slope, noise):
    images = list(range(10, 1001, 10))
    wave = [noise * (-1) ** number for number in range(len(images))]
    resident = [10**8 + slope * at + jump for at, jump in zip(images, wave, strict=True)]
    resident[:20] = [10**6] * 20  # before caches are full
    assert memory.Memory(images, resident, 0).slope == pytest.approx(slope, abs=1e-3 + noise / 1000)


def test_scores_are_probabilities_of_each_crop_alone():
    crops = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    classifier = memory.MeanColour()
    scores = classifier.score(crops).probabilities
    assert scores.shape == (5, 1 + len(classifier.labels))
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert scores.min() >= 0
    assert classifier.score(crops[2:3]).probabilities.tobytes() == scores[2:3].tobytes()
    assert classifier.score(crops[:0]).probabilities.shape == (0, 4)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="this system does not tell a process's memory")
@pytest.mark.parametrize("workers", [1, 2])
def test_weighs_on_the_way_and_finds_something_in_the_pictures(tmp_path, workers):
    said = []
    found = memory.measure(6, workers, tmp_path, said.append)
    rows = list(read_json_lines(tmp_path / "rows.jsonl"))
    assert len(rows) == len(said) == len(found.images) == len(found.resident) == 6
    assert all(row["status"] == "ok" and row["proposals"] > 0 for row in rows)
    assert any(row["detections"] for row in rows)
    assert found.peak >= max(found.resident) * 0.9
    assert said[-1].startswith("6 images, ")
