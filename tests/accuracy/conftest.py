"""The scripts of benchmarks/accuracy as modules, and files for them to read."""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from accuracy_files import FOLDER, LABELS, SIZE, command, write_kept
from hostile import encoded, photo
from tiny_screen import random_boxes, screen_file
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.datasets.voc import read_voc


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The benchmark's files are modules of their own while a test runs, and are forgotten after it."""
    names = {path.stem for path in FOLDER.glob("*.py")}
    kept = {name: sys.modules.pop(name) for name in names & set(sys.modules)}
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in names & set(sys.modules):
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.fixture
def read_scores():
    return import_module("scored_images").read_scores


@pytest.fixture
def learn():
    return import_module("cascade")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A devkit of six pictures, proposals around their objects, scores that mostly find them, and weights."""
    folder = tmp_path_factory.mktemp("files")
    objects = [[("cat", (11, 11, 50, 45))], [("dog", (21, 6, 70, 50)), ("cat", (1, 1, 18, 18))]] * 3
    names = [f"{number:06d}" for number in range(6)]
    xml = {
        name: annotation(*(thing(*one) for one in each), size=SIZE) for name, each in zip(names, objects, strict=True)
    }
    devkit(folder, xml, split="val")
    (folder / "VOC2007" / "labels.txt").write_text("\n".join(LABELS))
    lines, whole = [], []
    for number, (name, sample) in enumerate(zip(names, read_voc(folder, "val").samples, strict=True)):
        (folder / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(encoded(photo(), "JPEG"))
        truth = sample.truth
        boxes = np.concatenate([truth.boxes.coordinates, random_boxes(15, number, SIZE).coordinates]).round(3)
        random = np.random.default_rng(number)
        probabilities = random.uniform(0, 0.4, (len(boxes), 2))
        probabilities[np.arange(len(truth)), truth.labels] = random.uniform(0.3, 0.6, len(truth))
        whole.append((probabilities, np.zeros((len(boxes), 2, 4), np.float16)))
        row = {"schema": 1, "image_id": name, "path": "x", "width": 80, "height": 60, "status": "ok"}
        row |= {"boxes": boxes.tolist(), "scores": (-np.arange(len(boxes))).tolist(), "sources": ["ss"] * len(boxes)}
        lines.append(json.dumps(row) + "\n")
    (folder / "proposals.jsonl").write_text("".join(lines))
    write_kept(folder / "scores.npz", whole, 0.01)
    screen_file(folder / "given.safetensors", doubt=0.5)
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a script in this process; gives what it printed and what it complained about."""

    def run(script, folder, *flags, status=0):
        monkeypatch.setattr(sys, "argv", command(script, folder, *flags))
        try:
            found = import_module(Path(script).stem).main()
        except SystemExit as caught:  # argparse
            found = caught.code
        output = capsys.readouterr()
        assert found == status, output.err
        return output

    return run
