"""The evaluation benchmark runs on a tiny load, tells what is missing, and finds ours equal to the reference."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "evaluation"


def run(*flags, before="", status=0):
    """Runs the benchmark, after a line of Python that prepares its process."""
    start = f"import runpy, sys\nsys.path.insert(0, {str(FOLDER)!r})\n{before}\n"
    start += f"runpy.run_path({str(FOLDER / 'run.py')!r}, run_name='__main__')"
    command = [sys.executable, "-c", start, *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == status, result.stderr
    return result


@pytest.fixture(scope="module")
def load():
    sys.path.insert(0, str(FOLDER))
    try:
        import load

        yield load
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("load", None)


def test_ours_and_the_reference_on_a_tiny_load(tmp_path):
    absent = "import scorers; scorers.PEERS['hotcoco'] = ('no_such_module', '', '', '')"
    shown = run("--sizes", "tiny", "--skip", "faster-coco-eval", "--out", tmp_path, before=absent).stdout
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    by_name = {(row["task"], row["evaluator"]): row for row in rows}
    assert len(by_name) == len(rows) == 8
    ours, reference = by_name["coco", "googlenet-rcnn"], by_name["coco", "pycocotools"]
    assert ours["figures"] == pytest.approx(reference["figures"], abs=1e-9)
    assert ours["largest_difference"] < 1e-9
    assert "largest_difference" not in by_name["iou50", "voc10"]
    for task in ("coco", "iou50"):
        assert by_name[task, "hotcoco"]["note"] == "not installed"
        assert f"- tiny, {task}, hotcoco: not installed" in shown.splitlines()
    for row in rows:
        if row["evaluator"] != "hotcoco":
            assert min(row["load_seconds"], row["evaluate_seconds"], row["times_faster"]) > 0
            assert 10 < row["peak_mib"] < 1000
    assert shown.count("| tiny |") == len(rows)


def test_what_does_not_fit_is_told(tmp_path):
    flags = ("--sizes", "tiny", "--tasks", "coco", "--out", tmp_path, "--skip", "hotcoco", "faster-coco-eval")
    shown = run(*flags, "--memory", 0.05).stdout
    assert "-" in shown.splitlines()[2]
    notes = [row.get("note", "") for row in json.loads((tmp_path / "results.json").read_text())["rows"]]
    assert all("0.05 GiB" in note for note in notes)


def test_a_load_is_the_same_for_the_same_seed_and_valid(load):
    extent = load.Extent(300, 4, 9_000)
    one, again, other = load.make_load(extent), load.make_load(extent), load.make_load(extent, seed=1)
    assert load.coco_truth(one) == load.coco_truth(again)
    assert load.coco_results(one) == load.coco_results(again) != load.coco_results(other)
    assert len(one.image) == len(one.score) == len(one.boxes) == 9_000
    for boxes in (one.boxes, one.truth_boxes):
        assert (boxes[:, 2:] - boxes[:, :2] >= 2).all()
        assert ((boxes >= 0) & (boxes <= load.SIDE)).all()
        assert np.array_equal(boxes.astype(np.float32), boxes)
    assert len(np.unique(one.score)) < len(one.score) / 5  # ties
    assert 0 < one.crowd.sum() < len(one.crowd) / 10
    assert set(one.truth_label) == set(one.label) == set(range(4))
