"""Equal input gives equal output: whatever the order, the company, the workers, the threads and the process.

Scores are the same to the last byte at an equal number of threads, and within 1e-4 otherwise.
"""

import json
from importlib.util import find_spec

import numpy as np
import pytest
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing

RUNTIMES = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"))
    for name in ("torch", "onnxruntime", "openvino")
]
FAST = ("--preset", "single", "--superpixel-scale", "4", "--quiet")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Three pictures of different sizes."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(("a", "b", "c")):
        turned = np.roll(photo(50 + 10 * number, 70), 25 * number, axis=1)
        write(folder, f"{name}.png", encoded(turned, "PNG"))
    return [folder / f"{name}.png" for name in ("a", "b", "c")]


@pytest.fixture
def found(cli, rows):
    """The rows of a command by image id, without times."""

    def run(*arguments):
        result = cli(*arguments)
        assert result.exit_code == 0, result.output
        return {row["image_id"]: row for row in rows(result.stdout)}

    return run


@pytest.fixture
def detected(found, detector_file):
    def run(runtime, *arguments, threads="1"):
        flags = ("--weights", detector_file, *FAST, "--score-threshold", "0.0", "--max-detections", "9")
        return found("detect", *flags, "--runtime", runtime, "--threads", threads, *arguments)

    return run


@pytest.fixture
def classified(found, classifier_file):
    def run(runtime, *arguments, threads="1"):
        flags = ("--weights", classifier_file, "--crops", "10", "--quiet")
        return found("classify", *flags, "--runtime", runtime, "--threads", threads, *arguments)

    return run


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("command", ["detected", "classified"])
def test_an_image_has_its_scores_in_any_order_and_company_and_with_any_workers(request, command, runtime, pictures):
    run = request.getfixturevalue(command)
    together = run(runtime, *pictures, "--workers", "1")
    assert list(together) == ["a", "b", "c"]
    assert run(runtime, *reversed(pictures), "--workers", "3") == together
    assert run(runtime, pictures[1]) == {"b": together["b"]}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_other_threads_move_no_score_by_more_than_a_ten_thousandth(classified, detected, runtime, pictures):
    for run, field in ((classified, "top"), (detected, "detections")):
        one, two = run(runtime, *pictures), run(runtime, *pictures, threads="2")
        for image_id, row in one.items():
            ours, theirs = row[field], two[image_id][field]
            assert [entry["label"] for entry in ours] == [entry["label"] for entry in theirs]
            assert [entry["score"] for entry in ours] == pytest.approx([entry["score"] for entry in theirs], abs=1e-4)


def test_proposals_are_the_same_bytes_in_any_order_and_with_any_workers_and_threads(cli, pictures, tmp_path):
    """Those of another process: test_propose.py."""

    def content(name, *arguments):
        out = tmp_path / name
        assert cli("propose", *arguments, *FAST, "--out", out, "--format", "npz").exit_code == 0
        return out.read_bytes()

    once = content("a.npz", *pictures, "--threads", "1", "--workers", "1")
    assert content("b.npz", *pictures, "--threads", "2", "--workers", "3") == once
    assert content("c.npz", *reversed(pictures), "--threads", "1") != once  # rows follow the images
    rows = [np.load(tmp_path / name) for name in ("a.npz", "c.npz")]
    assert {array.tobytes() for array in rows[0].values()} != set()
    assert sorted(rows[0].files) == sorted(rows[1].files)


@pytest.fixture
def scored(cli, tmp_path):
    """The report of a result file for three images, its lines in some order."""
    names, random = ("000001", "000002", "000003"), np.random.default_rng(3)
    xml = {name: annotation(thing("cat", (1, 1, 60, 50)), thing("dog", (90, 1, 150, 80))) for name in names}
    kit = devkit(tmp_path / "kit", xml, split="val")
    lines = []
    for name in names:
        boxes = np.sort(random.integers(0, 100, (12, 2, 2)), axis=1).reshape(-1, 4)
        boxes[:, 2:] += 5
        entries = [
            {"label": label, "score": round(float(score), 6), "box": box.tolist()}
            for label, score, box in zip(["cat", "dog"] * 6, random.random(12), boxes, strict=True)
        ]
        row = {"schema": 1, "image_id": name, "status": "ok", "width": 200, "height": 100, "detections": entries}
        lines.append(json.dumps(row) + "\n")

    def run(order, name):
        (tmp_path / "found.jsonl").write_text("".join(lines[index] for index in order))
        flags = ("--split", "val", "--detections", tmp_path / "found.jsonl", "--bootstrap", "50", "--seed", "1")
        result = cli("evaluate", "detections", "--data", kit, *flags, "--report", tmp_path / name)
        assert result.exit_code == 0, result.output
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    return run


def test_a_report_is_the_same_bytes_in_any_order_of_the_results(scored):
    once = scored((0, 1, 2), "a")
    assert set(once) == {"metrics.json", "report.html"}
    assert scored((0, 1, 2), "b") == once
    assert scored((2, 0, 1), "c")["metrics.json"] == once["metrics.json"]
