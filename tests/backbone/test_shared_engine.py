"""An engine that somebody holds is handed out again; one that nobody holds, or of other content, is loaded."""

import gc
import os

import pytest

from googlenet_rcnn.backbone import shared_engine as module
from googlenet_rcnn.backbone.shared_engine import shared_engine


class Loaded:
    name = "stub"


@pytest.fixture
def loads(monkeypatch):
    """What was asked of load_engine."""
    asked = []

    def load(path, part, runtime, side, threads, say):
        asked.append((path.name, part, runtime, side, threads))
        return Loaded()

    monkeypatch.setattr(module, "load_engine", load)
    return asked


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"weights")
    return tmp_path / "a.safetensors"


def test_what_is_held_is_loaded_once(loads, file) -> None:
    first = shared_engine(file, threads=2)
    assert shared_engine(file, threads=2) is first
    link = file.with_name("link")
    link.symlink_to(file)
    assert shared_engine(link, threads=2) is first
    assert loads == [("a.safetensors", "scores", "auto", None, 2)]


def test_anything_else_is_another_engine(loads, file) -> None:
    first = shared_engine(file)
    others = [
        shared_engine(file, "trunk"),
        shared_engine(file, "trunk", side=448),
        shared_engine(file, runtime="torch"),
        shared_engine(file, threads=1),
    ]
    assert len({id(engine) for engine in (first, *others)}) == len(loads) == 5


def test_a_file_that_changed_is_loaded_anew(loads, file) -> None:
    first = shared_engine(file)
    stat = file.stat()
    file.write_bytes(b"WEIGHTS")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert shared_engine(file) is not first
    assert len(loads) == 2


def test_nothing_is_kept_for_nobody(loads, file) -> None:
    shared_engine(file)
    gc.collect()
    shared_engine(file)
    assert len(loads) == 2


def test_a_missing_file_is_left_to_the_loader(loads, tmp_path) -> None:
    shared_engine(tmp_path / "gone")
    assert loads == [("gone", "scores", "auto", None, None)]
