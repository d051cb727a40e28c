"""Files are whole or absent, whatever happens while they are written."""

import errno
import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from googlenet_rcnn.core.errors import DataError, Exit, ProjectError, ResourceError, UsageError
from googlenet_rcnn.core.store import JsonLines, atomic_file, digest, lock, read_json_lines, write_json


def test_a_finished_file_has_its_name_and_no_remains(tmp_path: Path) -> None:
    path = tmp_path / "größe.json"
    write_json(path, {"b": [1, 2.5], "a": "ä"})
    assert json.loads(path.read_text("utf-8")) == {"b": [1, 2.5], "a": "ä"}
    assert path.read_bytes().endswith(b"}\n")
    assert os.listdir(tmp_path) == [path.name]
    assert digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("error", [RuntimeError("body"), KeyboardInterrupt(), DataError("X", "y")])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "result"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_file(path) as stream:  # noqa: PT012
        stream.write(b"half of the ne")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["result"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_file_has_the_rights_that_the_user_gives_and_none_before_it_is_whole(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with atomic_file(tmp_path / "a") as stream:
            stream.write(b"x")
            (temporary,) = tmp_path.iterdir()
            assert temporary.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask
    finally:
        assert os.umask(before) == umask


def test_what_a_killed_process_left_is_taken_up_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a"
    (tmp_path / ".a.tmp").write_bytes(b"left, and longer than what comes")
    with atomic_file(path) as stream:
        stream.write(b"first")
        with atomic_file(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / ".a.tmp").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="OUT_UNWRITABLE"), atomic_file(tmp_path / "a"):
        pass
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "kind", "code", "status"),
    [
        (errno.ENOSPC, ResourceError, "DISK_FULL", Exit.RESOURCE),
        (errno.EDQUOT, ResourceError, "DISK_FULL", Exit.RESOURCE),
        (errno.EROFS, UsageError, "OUT_UNWRITABLE", Exit.USAGE),
    ],
)
def test_a_refusing_disk_has_a_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[ProjectError],
    code: str,
    status: Exit,
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "weights"
    path.write_bytes(b"old")
    lines = JsonLines(tmp_path / "log.jsonl")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(kind, match=str(path)) as caught, atomic_file(path) as stream:
        stream.write(b"new")
    assert (caught.value.code, caught.value.exit) == (code, status)
    assert path.read_bytes() == b"old"
    with pytest.raises(kind) as caught:
        lines.close()
    assert caught.value.code == code
    assert sorted(os.listdir(tmp_path)) == ["log.jsonl", "weights"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    for write in (lambda: write_json(path, 1), lambda: JsonLines(path), lambda: lock(path).__enter__()):
        with pytest.raises(UsageError, match="OUT_UNWRITABLE"):
            write()


@pytest.mark.parametrize("torn", [b"", b'{"step":3', b"\x00\x00\x00", '{"a":"ä'.encode()[:-1]])
def test_a_torn_tail_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    with JsonLines(path) as lines:
        lines.append({"step": 1})
        lines.append({"step": 2, "name": "ä\n"})
    with path.open("ab") as stream:
        stream.write(torn)
    with JsonLines(path) as lines:
        lines.append({"step": 4})
    assert list(read_json_lines(path)) == [{"step": 1}, {"step": 2, "name": "ä\n"}, {"step": 4}]


def test_a_row_is_seen_at_once_and_a_bad_one_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with JsonLines(path) as lines:
        lines.append({"a": 1})
        assert list(read_json_lines(path)) == [{"a": 1}]
        with pytest.raises(ValueError, match="JSON"):
            lines.append({"a": float("inf")})
    assert path.read_bytes() == b'{"a":1}\n'


@pytest.mark.parametrize(
    ("line", "message"), [("{", "not a JSON"), ("[1]", "got list"), ("", "not a JSON"), ("\xff", "not")]
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a":1}\n' + line.encode("latin-1") + b"\n")
    rows = read_json_lines(path)
    assert next(rows) == {"a": 1}
    with pytest.raises(DataError, match=f"JSONL_PARSE.*:2: .*{message}"):
        next(rows)


def _hold(path: Path, held, release) -> None:
    with lock(path):
        held.set()
        release.wait(60)


@pytest.mark.parametrize("end", ["release", "kill"])
def test_a_lock_is_held_by_one_living_process(tmp_path: Path, end: str) -> None:
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    path = tmp_path / "run.lock"
    other = context.Process(target=_hold, args=(path, held, release))
    other.start()
    assert held.wait(60)
    with pytest.raises(UsageError, match="OUT_BUSY"), lock(path):
        pass
    other.kill() if end == "kill" else release.set()
    other.join(60)
    with lock(path):
        assert path.exists()
    assert not path.exists()


def test_a_lock_on_a_removed_file_is_not_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our opening the file and locking it, its last holder removes it and a third makes a new one."""
    import fcntl

    path, real, calls = tmp_path / "run.lock", fcntl.flock, []

    def slow(stream, operation: int) -> None:
        calls.append(operation)
        if len(calls) == 1:
            path.unlink()
            path.touch()
        real(stream, operation)

    monkeypatch.setattr(fcntl, "flock", slow)
    with lock(path):
        assert len(calls) == 2
        with path.open("ab") as stream, pytest.raises(OSError):
            real(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
