"""Killed before any of its changes to the disk, a command that is given again leaves what it leaves undisturbed.

The same bytes, that is, under the same names and nothing beside them.
"""

import json
import os

import pytest
import stub_detector
import stub_proposer
from colour_eye import COLOURS, ColourEye
from hostile import write
from kill_points import killed, tree
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone import classifier
from googlenet_rcnn.cli.batch import run as batch_command
from googlenet_rcnn.cli.batch.worker import PartWorker

if not hasattr(os, "fork"):
    pytest.skip("this system has no fork", allow_module_level=True)

DETECT = ("album", "--threads", "1", "--score-threshold", "0.2", "--quiet", "--out")
CLASSIFY = ("--weights", "eye.safetensors", "--threads", "1", "--quiet")
COMMANDS = {
    "detect": ("detect", *DETECT, "out/found.jsonl", "--draw", "out/drawn"),
    "detect-voc": ("detect", *DETECT, "out", "--format", "voc"),
    "detect-coco": ("detect", *DETECT, "out/found.json", "--format", "coco"),
    "propose": ("propose", "album", "--threads", "1", "--quiet", "--out", "out/boxes.npz", "--format", "npz"),
    "classify": ("classify", "album", *CLASSIFY, "--out", "out/classes.jsonl"),
    "accuracy": ("evaluate", "classification", "--data", "classes", *CLASSIFY, "--report", "out"),
    "score": ("evaluate", "detections", "--data", "devkit", "--split", "val", "--detections", "found.jsonl",
              "--report", "out", "--overwrite"),
    "batch": ("batch", "album", "--score-threshold", "0.2", "--quiet", "--out", "out", "--part-size", "2"),
}  # fmt: skip


@pytest.fixture
def stubs(monkeypatch):
    """Every command with parts that need no weights; the workers of `batch` are this process."""

    def make_parts(job, parts, cluster):
        worker = PartWorker(job)
        for part in parts:
            yield part, worker.make(part)

    stub_detector.install(monkeypatch.setattr)
    monkeypatch.setattr(classifier, "Classifier", ColourEye())
    monkeypatch.setattr(batch_command, "load_ray", lambda address: None)
    monkeypatch.setattr(batch_command, "make_parts", make_parts)
    monkeypatch.setattr(batch_command, "uuid4", lambda: type("Known", (), {"hex": "0"}))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def place(tmp_path, picture, checkpoint, monkeypatch):
    """A folder with all that the commands need, to work in."""
    for name, colour in (("a", "red"), ("c", "blue")):
        picture(tmp_path / "album" / f"{name}.png", colour)
        picture(tmp_path / "classes" / colour / f"{name}.png", colour)
    write(tmp_path / "album", "b.png", b"")
    checkpoint(tmp_path / "eye.safetensors", task="classifier", labels=COLOURS)
    devkit(tmp_path / "devkit", {"000001": annotation(thing("cat", (1, 1, 50, 50)))}, split="val")
    one = {"label": "cat", "score": 0.9, "box": [0, 0, 50, 50]}
    row = {"schema": 1, "image_id": "000001", "status": "ok", "detections": [one]}
    (tmp_path / "found.jsonl").write_text(json.dumps(row) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(cli, stubs, place, monkeypatch, request):
    """A command by its name; all that it imports is imported, so that a fork of this process begins at once."""
    name = request.param
    if name == "batch":
        pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
    if name == "propose":
        stub_proposer.install(monkeypatch.setattr)

    def run() -> int:
        return cli(*COMMANDS[name]).exit_code

    run()
    return run


def survived(command, place, numbers) -> int:
    """How many of the kills at the changes with these numbers come to pass, each made good by the next run."""
    out = place / "out"
    out.rename(place / "first")
    status, expected = killed(command, place), tree(out)
    assert status in (0, 4)
    assert expected
    assert not [path for path in expected if path.endswith((".tmp", ".part", ".lock"))]
    for count, number in enumerate(numbers):
        out.rename(place / f"before-{number}")
        if killed(command, place, number) != -9:
            return count
        left = tree(out) if out.exists() else {}
        finished = expected.items() <= left.items()  # then it says so
        assert left == expected or killed(command, place) == (2 if finished else status), (number, sorted(left))
        assert tree(out) == expected, number
    return 10**9


@pytest.mark.parametrize("command", COMMANDS, indirect=True)
def test_a_command_that_is_killed_and_given_again_was_never_killed(command, place) -> None:
    assert survived(command, place, range(2, 1000, 5)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, indirect=True)
def test_wherever_it_is_killed(command, place) -> None:
    found = survived(command, place, range(1, 1000))
    assert 5 <= found < 1000
    print(f"{found} kills survived")
