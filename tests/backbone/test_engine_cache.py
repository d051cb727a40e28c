"""Kept engines are whole or built again; what cannot be kept is told and still works."""

import os
from pathlib import Path

import pytest

from googlenet_rcnn.backbone import engine_cache
from googlenet_rcnn.backbone.engine_cache import cache_folder, cached_bytes, describe_processor, settings_name


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "googlenet-rcnn" / "engines"


class Builder:
    """Counts how often something had to be built."""

    def __init__(self) -> None:
        self.built, self.said = 0, []

    def get(self, name: str = "a.engine") -> bytes:
        return cached_bytes(name, self._build, self.said.append)

    def _build(self) -> bytes:
        self.built += 1
        return b"engine" * 100


def test_built_once(folder) -> None:
    builder = Builder()
    assert builder.get() == builder.get() == b"engine" * 100
    assert (builder.built, builder.said) == (1, [])
    assert [path.name for path in folder.iterdir()] == ["a.engine"]
    builder.get("b.engine")
    assert builder.built == 2


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "digest only", "rubbish"])
def test_a_damaged_file_is_built_again(folder, harm) -> None:
    builder = Builder()
    whole = builder.get()
    path = folder / "a.engine"
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(
        {"cut": content[:-1], "flip": content, "empty": b"", "digest only": content[:32], "rubbish": b"x" * 5}[harm]
    )
    assert builder.get() == whole
    assert builder.get() == whole
    assert builder.built == 2


def test_where_nothing_can_be_kept_it_is_said(folder) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    builder = Builder()
    assert builder.get() == b"engine" * 100
    assert len(builder.said) == 1
    assert builder.said[0].startswith("note: the engine is not kept for the next start")
    builder.get()
    assert builder.built == 2


def test_what_was_not_used_for_longest_makes_room(folder, monkeypatch) -> None:
    builder = Builder()
    for age, name in ((300, "a.engine"), (200, "b.engine"), (100, "c.engine")):
        builder.get(name)
        past = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (past, past))
    monkeypatch.setattr(engine_cache, "_ROOM", 2 * (600 + 32))
    builder.get("a.engine")  # used again, so that b is now the oldest
    builder.get("d.engine")
    assert sorted(path.name for path in folder.iterdir()) == ["a.engine", "d.engine"]
    monkeypatch.setattr(engine_cache, "_ROOM", 1)
    builder.get("e.engine")
    assert [path.name for path in folder.iterdir()] == ["e.engine"]


def test_a_failed_build_leaves_nothing(folder) -> None:
    def fail() -> bytes:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached_bytes("a.engine", fail, print)
    assert not folder.exists()


def test_the_folder_is_in_the_home_folder_otherwise(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "googlenet-rcnn" / "engines"


def test_names_follow_settings_not_their_order() -> None:
    assert settings_name({"a": 1, "b": (2, 3)}) == settings_name({"b": [2, 3], "a": 1})
    names = [settings_name({"a": value}) for value in (1, "1", 2, None, True)]
    assert len(set(names)) == 5
    assert all(name.isalnum() and os.sep not in name for name in names)


def test_processors_differ_by_model_and_instructions(tmp_path) -> None:
    text = "".join(f"processor : {n}\nmodel name : Some CPU\nflags : fpu avx2\n\n" for n in (0, 1))
    (tmp_path / "one").write_text(text)
    (tmp_path / "two").write_text(text.replace("avx2", "avx2 avx512f"))
    (tmp_path / "arm").write_text("processor : 0\nFeatures : fp asimd\n")
    one, two, arm, unknown = (describe_processor(tmp_path / name) for name in ("one", "two", "arm", "absent"))
    assert one.endswith("Some CPU; fpu avx2")
    assert two.endswith("fpu avx2 avx512f")
    assert arm.endswith("fp asimd")
    assert len({one, two, arm, unknown}) == 4
