import os
import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from googlenet_rcnn.cli.boundary import one_line, run_command
from googlenet_rcnn.core.errors import DataError, ImageError, ModelError, ProjectError, ResourceError, UsageError


def outcome(capsys, fault):
    def command():
        if isinstance(fault, BaseException):
            raise fault
        return fault

    with pytest.raises(SystemExit) as caught:
        run_command(command)
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize(("fault", "status"), [(None, 0), (0, 0), (3, 3), (4, 4)])
def test_status_of_a_command_without_fault(capsys, fault, status):
    assert outcome(capsys, fault) == (status, "")


@pytest.mark.parametrize(
    ("kind", "status"),
    [(ProjectError, 1), (UsageError, 2), (DataError, 3), (ImageError, 3), (ModelError, 3), (ResourceError, 5)],
)
def test_each_kind_of_error_has_its_status_and_one_line(capsys, kind, status):
    assert outcome(capsys, kind("SOME_CODE", "what\nand why")) == (status, "error: SOME_CODE: what\\nand why\n")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (MemoryError(), 5, "MEMORY"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 5, "MEMORY"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), 5, "MEMORY"),
        (KeyboardInterrupt(), 130, "INTERRUPTED"),
    ],
)
def test_memory_and_interruption(capsys, fault, status, code):
    found, text = outcome(capsys, fault)
    assert found == status
    assert text.startswith(f"error: {code}: ")
    assert text.count("\n") == 1


@pytest.mark.parametrize("message", ["first\nsecond", "", "caf\udce9"])
def test_bug_is_one_line_and_its_traceback_a_file(capsys, tmp_path, monkeypatch, message):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    status, text = outcome(capsys, RuntimeError(message))
    assert status == 1
    assert text.count("\n") == 1
    assert text.startswith("error: INTERNAL: RuntimeError: ")
    log = re.search(r"traceback is in (\S+)\)", text)[1]
    with open(log, encoding="utf-8") as stream:
        assert "RuntimeError" in stream.read()


def test_nothing_is_left_to_colour_a_terminal_at_exit(monkeypatch):
    colorama = ModuleType("colorama")
    colorama.initialise = SimpleNamespace(atexit_done=False)
    monkeypatch.setitem(sys.modules, "colorama", colorama)
    with pytest.raises(SystemExit):
        run_command(lambda: 0)
    assert colorama.initialise.atexit_done


def test_one_line_escapes_what_breaks_a_terminal():
    assert one_line("фото\n\x1b[2Jcaf\udce9 写真") == "фото\\n\\x1b[2Jcaf\\udce9 写真"


SCRIPT = """
from googlenet_rcnn.cli.boundary import run_command
def command():
    for _ in range({n}):
        print("é写" * 9)
run_command(command)
"""


def test_reader_that_goes_away_is_no_fault():
    command = f'"{sys.executable}" -c "$SCRIPT" | head -1; exit "${{PIPESTATUS[0]}}"'
    environment = os.environ | {"SCRIPT": SCRIPT.format(n=100_000)}
    result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_closed_streams_are_no_fault():
    command = f'"{sys.executable}" -c "$SCRIPT" >&- 2>&-'
    environment = os.environ | {"SCRIPT": SCRIPT.format(n=1)}
    assert subprocess.run(["bash", "-c", command], env=environment, timeout=60, check=False).returncode == 0


def test_terminal_that_cannot_show_a_letter_gets_its_escape():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", SCRIPT.format(n=1)]
    result = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.startswith(rb"\xe9\u5199")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_behind_standard_output_is_status_5():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", SCRIPT.format(n=1000)]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode == 5
    assert result.stderr.startswith("error: DISK_FULL: ")
    assert result.stderr.count("\n") == 1
