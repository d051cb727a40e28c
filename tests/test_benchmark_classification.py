"""The scripts of benchmarks/classification."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import encoded, photo, write
from PIL import Image
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.voc import read_voc

CROPS = Path(__file__).parents[1] / "benchmarks" / "classification" / "voc_crops.py"


@pytest.fixture
def kit(tmp_path):
    """One picture with a cat, a small cat and a dog marked difficult."""
    xml = {
        "000001": annotation(
            thing("cat", (11, 6, 50, 45)),
            thing("cat", (1, 1, 30, 40)),
            thing("dog", (1, 1, 60, 50), "<difficult>1</difficult>"),
            size=Size(60, 80),
        )
    }  # fmt: skip
    devkit(tmp_path, xml)
    write(tmp_path / "VOC2007" / "JPEGImages", "000001.jpg", encoded(photo(60, 80), "JPEG"))
    return tmp_path


def test_each_large_object_that_is_not_difficult_is_a_picture_of_its_own(kit, tmp_path) -> None:
    write_crops = runpy.run_path(str(CROPS))["write_crops"]
    assert write_crops(read_voc(kit, "train"), tmp_path / "out", context=0) == 1
    (path,) = (tmp_path / "out").rglob("*.jpg")
    assert path.relative_to(tmp_path / "out").parts == ("cat", "000001-0.jpg")
    picture = np.asarray(Image.open(kit / "VOC2007" / "JPEGImages" / "000001.jpg"))
    crop = np.asarray(Image.open(path))
    assert crop.shape == (40, 40, 3)
    assert np.abs(crop.astype(int) - picture[5:45, 10:50]).mean() < 6  # JPEG again, and the colours in order
    assert write_crops(read_voc(kit, "train"), tmp_path / "all", least=1) == 2
    write_crops(read_voc(kit, "train"), tmp_path / "small", context=0, longest=20)
    (path,) = (tmp_path / "small").rglob("*.jpg")
    shrunk = np.asarray(Image.open(path)).astype(int)
    means = picture[5:45, 10:50].reshape(20, 2, 20, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - means).mean() < 6


def test_surroundings_are_those_of_the_detectors_warp_as_far_as_the_image_reaches(kit, tmp_path) -> None:
    write_crops = runpy.run_path(str(CROPS))["write_crops"]
    write_crops(read_voc(kit, "train"), tmp_path / "out", context=32)  # a fifth of the object at each side
    (path,) = (tmp_path / "out").rglob("*.jpg")
    picture = np.asarray(Image.open(kit / "VOC2007" / "JPEGImages" / "000001.jpg"))
    crop = np.asarray(Image.open(path))
    assert crop.shape == (53, 56, 3)  # 40 and 8 at each side, but 5 above, where the image ends
    assert np.abs(crop.astype(int) - picture[0:53, 2:58]).mean() < 6


def test_the_command_writes_a_folder_for_each_split(kit, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(kit), "--splits", "train", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(CROPS), run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == "train: 1 objects\n"
    monkeypatch.setattr(sys, "argv", ["x", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(CROPS), run_name="__main__")
    assert caught.value.code == 3


def test_training_is_timed_in_turns_with_its_peer(tmp_path, monkeypatch, capsys) -> None:
    for number, place in enumerate(("cat/a", "cat/b", "dog/c")):
        folder = tmp_path / place.partition("/")[0]
        folder.mkdir(exist_ok=True)
        write(folder, f"{number}.png", encoded(photo(), "PNG"))
    flags = ["--folder", str(tmp_path), "--batch", "1", "--steps", "1", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["x", *flags])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(CROPS.parents[1] / "training" / "run.py"), run_name="__main__")
    assert caught.value.code == 0
    head, _, *rows = capsys.readouterr().out.strip().splitlines()
    assert "x torchvision" in head
    assert len(rows) == 4
    assert [cell.strip() for cell in rows[-1].split("|")][3] == "1.00"


def test_a_run_is_killed_and_compared_bit_for_bit(tmp_path) -> None:
    kills = runpy.run_path(str(CROPS.parents[1] / "training" / "kills.py"))
    kills["draw_tree"](tmp_path / "data", 3)
    assert len(list((tmp_path / "data").rglob("*.png"))) == 3
    log = tmp_path / "log"
    writes = f"import time; open({str(log)!r}, 'w').write('1\\n2\\n'); time.sleep(60)"
    assert kills["killed"]([sys.executable, "-c", writes], log, 2, 0.0)
    assert kills["steps_in"](log) == 2
    assert not kills["killed"]([sys.executable, "-c", ""], tmp_path / "none", 1, 0.0)
    card = Card(labels=("a", "b"))
    for name, number in (("one", 1.0), ("again", 1.0), ("other", 1.001)):
        save_weights(tmp_path / f"{name}.safetensors", {"x": torch.tensor([number])}, card)
    one, again, other = (tmp_path / f"{name}.safetensors" for name in ("one", "again", "other"))
    assert kills["same"](one, again)
    assert not kills["same"](one, other)
