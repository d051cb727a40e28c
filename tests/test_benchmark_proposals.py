"""The proposal benchmark runs on a few pictures, goes on where it stopped, and its numbers fit together."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile import encoded
from tiny_voc import annotation, devkit, thing

RUN = Path(__file__).parents[1] / "benchmarks" / "proposals" / "run.py"


def run(*flags, status=0):
    command = [sys.executable, str(RUN), *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == status, result.stderr
    return result


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two pictures of two flat squares."""
    xml = {name: annotation(thing("cat", (11, 11, 60, 60)), thing("dog", (101, 21, 160, 80))) for name in "ab"}
    root = devkit(tmp_path_factory.mktemp("devkit"), xml, split="val")
    pixels = np.full((100, 200, 3), 40, dtype=np.uint8)
    pixels[10:60, 10:60], pixels[20:80, 100:160] = (220, 30, 30), (30, 30, 220)
    for name in xml:
        (root / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(encoded(pixels, "JPEG"))
    return root


def test_comparison_can_be_resumed(data, tmp_path):
    flags = ("--data", data, "--engines", "single", "fast-doubled", "--first", 2, "--timed", 1, "--out", tmp_path)
    first = run(*flags)
    content = json.loads((tmp_path / "results.json").read_text())
    assert (content["images"], content["timed"]) == (2, 1)
    for name in ("single", "fast-doubled"):
        one = content["engines"][name]
        assert len(one["seconds"]) == len(one["processor_seconds"]) == 1
        assert one["metrics"]["recall"]["0.5"] == 1
        assert one["metrics"]["objects"] == 4
        assert f"| {name}" in first.stdout
    assert first.stderr.count("image ") == 2

    # With one record lost, only that image is made again, and both engines are timed on it once more.
    kept, lost = (next(tmp_path.glob(f"raw/single-*/{name}.npz")) for name in "ba")
    before = kept.read_bytes()
    lost.unlink()
    again = run(*flags)
    assert again.stderr.splitlines() == ["image 1 of 2: single, fast-doubled"]
    assert kept.read_bytes() == before
    assert run(*flags).stderr == ""
    assert again.stdout.splitlines()[3:] == run(*flags).stdout.splitlines()[3:]


def test_scaling_tells_time_and_memory_of_each_size(tmp_path):
    run("--scaling", "--engines", "single", "--megapixels", 0.02, "--out", tmp_path)
    rows = json.loads((tmp_path / "scaling.json").read_text())
    assert [(row["own_width"], row["megapixels"]) for row in rows] == [(True, 0.02), (False, 0.02)]
    for row in rows:
        assert row["working_megapixels"] == pytest.approx(row["megapixels"] if row["own_width"] else 0.1875, rel=0.01)
        assert row["seconds"] > 0
        assert row["peak_mib"] >= row["added_mib"] >= 0


def test_edges_are_all_valid(tmp_path):
    shown = run("--edges", "--engines", "single", "--out", tmp_path).stdout
    rows = json.loads((tmp_path / "edges.json").read_text())
    assert len(rows) == len(shown.splitlines()) - 2 == 8
    assert all(row["valid"] for row in rows)
    assert {(row["height"], row["width"]) for row in rows} >= {(1, 1), (1, 2000), (2000, 1), (250, 2000), (3000, 4000)}


def test_wrong_flags_are_told_in_a_line(tmp_path):
    assert "--data is needed" in run(status=2).stderr
    assert run("--data", tmp_path / "none", "--engines", "single", "--out", tmp_path, status=3).stderr.startswith(
        "error: DATA_MISSING"
    )
