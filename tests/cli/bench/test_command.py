import sys

import pytest

from googlenet_rcnn.cli.bench import command as bench_command
from googlenet_rcnn.cli.bench.command import measure_command
from googlenet_rcnn.core.errors import Exit, ResourceError


@pytest.fixture
def python(monkeypatch, tmp_path):
    """Measures Python code in place of the program."""

    def measure(code):
        (tmp_path / "code.py").write_text(code)
        launch = bench_command._LAUNCH.replace("sys.argv[1:]", f"[{sys.executable!r}, {str(tmp_path / 'code.py')!r}]")
        monkeypatch.setattr(bench_command, "_LAUNCH", launch)
        return measure_command(["detect"])

    return measure


def test_the_program_itself_runs():
    spent = measure_command(["--help"])
    assert spent.processor_seconds > 0
    assert 0 < spent.seconds < 60
    assert 10 << 20 < spent.peak < 500 << 20


def test_the_peak_is_that_of_the_process_and_not_of_its_parent(python):
    ballast = bytearray(300 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = python("pass").peak
    assert small < 100 << 20
    assert 200 << 20 < python("x = bytearray(200 << 20); x[::4096] = b'x' * len(x[::4096])").peak < 300 << 20


def test_waiting_takes_no_processor(python):
    spent = python("import time; time.sleep(0.3)")
    assert spent.seconds > 0.3
    assert spent.processor_seconds < spent.seconds


def test_output_is_thrown_away(python):
    assert python("print('x' * 1_000_000)").seconds > 0


@pytest.mark.parametrize(
    ("code", "status", "line"),
    [
        ("import sys; print('first', file=sys.stderr); sys.exit('last words')", 1, "last words"),
        ("import sys; sys.exit(3)", 3, "it said nothing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, "it said nothing"),
    ],
)
def test_a_command_that_fails_is_told_with_its_last_line(python, code, status, line):
    with pytest.raises(ResourceError, match=rf"`googlenet-rcnn detect` ended with {status}: {line}") as caught:
        python(code)
    assert caught.value.exit == Exit.RESOURCE


def test_a_wrong_flag_is_told():
    with pytest.raises(ResourceError, match="ended with 2"):
        measure_command(["detect", "--no-such-flag"])
