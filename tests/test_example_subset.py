"""The example that makes a small data set makes one that can be read, of what was asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.datasets.tree import read_dataset

SCRIPT = Path(__file__).parents[1] / "examples" / "voc_subset.py"


@pytest.fixture
def voc(tmp_path):
    """A devkit in which every third image shows a cat, every third a dog with a person, and the others a car."""
    xml = {}
    for number in range(12):
        names = (("cat",), ("dog", "person"), ("car",))[number % 3]
        xml[f"{number:06d}"] = annotation(*(thing(name, (10, 10, 50, 45)) for name in names))
    for split, ids in (("train", list(xml)[:9]), ("val", list(xml)[9:])):
        devkit(tmp_path / "kit", {name: xml[name] for name in ids}, split=split)
    for name in xml:
        (tmp_path / "kit" / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(name.encode())
    return tmp_path / "kit" / "VOC2007"


def make(voc, out, *more):
    """Runs the example; gives what it prints."""
    command = [sys.executable, SCRIPT, voc, out, "--classes", "dog", "cat", *more]
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def test_images_of_each_class_are_taken_in_turn_and_other_objects_left_out(voc, tmp_path):
    assert make(voc, tmp_path / "out", "--train", "4", "--val", "9") == "train: 4 images\nval: 2 images\n"
    train, val = (read_dataset(tmp_path / "out", split) for split in ("train", "val"))
    assert train.labels.names == ("dog", "cat")
    shown = [sample.truth.labels.tolist() for sample in train.samples]
    assert sorted(shown) == [[0], [0], [1], [1]]
    assert len(val.samples) == 2
    for sample in (*train.samples, *val.samples):
        assert sample.path.read_bytes() == sample.image_id.encode()


def test_the_same_images_every_time_and_no_val_unless_asked_for(voc, tmp_path):
    for name in ("a", "b"):
        make(voc, tmp_path / name, "--train", "3")
    lists = [tmp_path / name / "ImageSets" / "Main" for name in ("a", "b")]
    assert lists[0].joinpath("train.txt").read_text() == lists[1].joinpath("train.txt").read_text()
    assert not lists[0].joinpath("val.txt").exists()
