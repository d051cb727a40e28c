import os
import sys

import numpy as np
import pytest

from googlenet_rcnn.cli.compiled_code import uncompiled_functions

SOURCE = '''"""A module."""

@compiled
def first(x):
    return x

def plain(x):
    return x

@compiled_exact_sums
def second(x):
    return x
'''
TAG = f"py{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one module of two compiled functions, and no caches of the user."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "part.py").write_text(SOURCE)
    return tmp_path / "code"


def write_index(folder, function, line, age=-10):
    """An index as numba names it, older than its source if `age` is positive."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part.{function}-{line}.{TAG}.nbi"
    path.write_bytes(b"")
    time = path.stat().st_mtime - age
    os.utime(path, (time, time))


def test_nothing_is_compiled_before_the_first_use(folder):
    assert uncompiled_functions(folder) == ["part.first", "part.second"]


def test_an_index_tells_of_a_compiled_function(folder):
    write_index(folder / "__pycache__", "first", 3)
    assert uncompiled_functions(folder) == ["part.second"]
    write_index(folder / "__pycache__", "second", 10)
    assert uncompiled_functions(folder) == []


def test_an_index_older_than_the_source_or_of_another_line_does_not_count(folder):
    write_index(folder / "__pycache__", "first", 3, age=60)
    write_index(folder / "__pycache__", "second", 9)
    assert uncompiled_functions(folder) == ["part.first", "part.second"]


def test_the_users_cache_is_looked_into(folder, tmp_path, monkeypatch):
    write_index(tmp_path / "cache" / "numba" / "code_0123", "first", 3)
    assert uncompiled_functions(folder) == ["part.second"]
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "told"))
    assert uncompiled_functions(folder) == ["part.first", "part.second"]
    write_index(tmp_path / "told" / "deeper", "first", 3)
    assert uncompiled_functions(folder) == ["part.second"]


def test_numba_names_its_indices_so(tmp_path, monkeypatch):
    """The file names are numba's own affair: a function that it compiles here must be found."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    code = tmp_path / "part.py"
    code.write_text(
        "from googlenet_rcnn.proposals.compiled import compiled\n\n\n"
        "@compiled\ndef total(values):\n    return values.sum()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import part

    try:
        assert uncompiled_functions(tmp_path) == ["part.total"]
        assert part.total(np.arange(4)) == 6
        assert uncompiled_functions(tmp_path) == []
    finally:
        del sys.modules["part"]
