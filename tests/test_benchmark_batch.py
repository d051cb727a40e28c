"""The benchmark of `batch` draws what it says, finds what is wrong, and, slowly, runs as a whole."""

import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")

from googlenet_rcnn.cli.batch.parts import write_part

RUN = Path(__file__).parents[1] / "benchmarks" / "batch" / "kills.py"


@pytest.fixture(scope="module")
def kills():
    spec = spec_from_file_location("kills", RUN)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(name, *labels):
    found = [{"label": label, "score": 0.5, "box": [0.0, 1.0, 2.0, 3.0]} for label in labels]
    size = {"width": 5, "height": 6, "status": "ok", "detections": found, "proposals": 9}
    return {"schema": 1, "image_id": name, "path": f"{name}.png"} | size


def test_pictures_are_drawn_once_and_listed_with_faults(kills, tmp_path):
    listed = kills.draw_list(tmp_path / "pictures", 204)
    lines = listed.read_text().splitlines()
    assert (len(lines), len(set(lines))) == (204, 200)
    empty = [line for line in set(lines) if not Path(line).stat().st_size]
    assert len(empty) == 2
    with Image.open(lines[0]) as picture:
        first = picture.tobytes()
    kills.draw_list(tmp_path / "pictures", 204)
    with Image.open(lines[0]) as picture:
        assert picture.tobytes() == first


def test_rows_are_read_back_and_a_doubled_input_is_found(kills, tmp_path):
    rows = [row("a", "cat", "dog"), row("b"), row("a", "cat")]
    write_part(tmp_path, 0, "mark", 0, rows[:2])
    write_part(tmp_path, 1, "mark", 2, rows[2:])
    assert kills.batch_rows(tmp_path) == rows
    write_part(tmp_path, 2, "mark", 1, rows[2:])
    with pytest.raises(SystemExit, match="input 1"):
        kills.batch_rows(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_the_whole_benchmark_on_a_few_pictures(tmp_path):
    settings = ("--preset", "single", "--superpixel-scale", "8", "--mode", "exhaustive", "--score-threshold", "0.05")
    flags = ("--out", tmp_path, "--images", "24", "--part-size", "2", "--kills", "1", "--", *settings)
    command = [sys.executable, str(RUN), *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stderr
    assert "| 24 | 12 |" in result.stdout
