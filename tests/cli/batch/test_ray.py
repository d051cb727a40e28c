"""`batch` on a real Ray, started by the command itself; its workers have the stub detector."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from batch_rows import batch_rows, draw_pictures

SUPPORT = Path(__file__).parents[2] / "support"
COMMAND = f"""import sys; sys.path.insert(0, {str(SUPPORT)!r})
import stub_detector; stub_detector.install()
from googlenet_rcnn.cli.main import main; main()"""
FLAGS = ("--score-threshold", "0.2", "--workers", "2", "--cpus-per-worker", "1", "--part-size", "4")
PATIENCE = 240.0

pytestmark = [
    pytest.mark.slow,
    # Ray is looked for and not imported: it takes its settings when it is imported, and the command sets them.
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra `ray` is not installed"),
]


@pytest.fixture
def begin(tmp_path):
    """Starts `batch` as a process, in a session of its own, and kills at the end of the test what is left of it."""
    begun = []

    def run(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "batch", *map(str, arguments), "--out", str(tmp_path / "out"), *FLAGS],
            env=os.environ | {"PYTHONPATH": f"{SUPPORT / 'ray_stub'}{os.pathsep}{SUPPORT}"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)


def parts(folder):
    return {path.name: path.read_bytes() for path in folder.glob("part-*.parquet")}


def wait_for_parts(folder, least, process):
    end = time.monotonic() + PATIENCE
    while len(parts(folder)) < least and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_kills_lose_and_double_nothing(begin, detect, tmp_path, rows):  # FAULTS 83
    draw_pictures(tmp_path / "pictures", 200)
    out = tmp_path / "out"
    for least in (5, 20):
        process = begin(tmp_path / "pictures")
        wait_for_parts(out, least, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
        time.sleep(3)  # Ray's own processes end with the command
    kept = parts(out)
    assert 20 <= len(kept) < 50
    process = begin(tmp_path / "pictures")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert f"continuing after {4 * len(kept)} images" in errors
    assert batch_rows(out) == rows(detect(tmp_path / "pictures").stdout)
    assert parts(out).items() >= kept.items()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pictures"]


def test_an_image_that_kills_workers_fails_alone(begin, picture, detect, tmp_path, rows):  # FAULTS 7
    draw_pictures(tmp_path / "pictures", 16)
    for name in ("0005", "0006"):
        (tmp_path / "pictures" / f"{name}.png").unlink(missing_ok=True)
        picture(tmp_path / "pictures" / f"{name}.png", "green")
    expected = rows(detect(tmp_path / "pictures").stdout)
    deadly = [row["detections"] != [] and row["detections"][0]["label"] == "green" for row in expected]
    process = begin(tmp_path / "pictures", STUB_DEADLY="green")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "IMG_DECODER_CRASH" in errors
    found = batch_rows(tmp_path / "out")
    crashed = [row.get("code") == "IMG_DECODER_CRASH" for row in found]
    assert sum(crashed) >= 2
    for row, other, crash, green in zip(found, expected, crashed, deadly, strict=True):
        assert row == other if not crash else green


def test_an_interruption_ends_everything_and_keeps_the_parts(begin, tmp_path):
    draw_pictures(tmp_path / "pictures", 200)
    out = tmp_path / "out"
    process = begin(tmp_path / "pictures")
    wait_for_parts(out, 3, process)
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches all processes of a terminal
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.count("INTERRUPTED")) == (130, 1)
    assert "Traceback" not in errors
    kept = parts(out)
    assert 3 <= len(kept) < 50
    time.sleep(2)
    assert parts(out) == kept  # nobody goes on
    assert not list(out.glob(".*"))


def test_errors_of_workers_and_of_ray_are_one_line(begin, tmp_path):
    draw_pictures(tmp_path / "pictures", 8)
    process = begin(tmp_path / "pictures", "--address", "127.0.0.1:1")
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.count("\n")) == (5, 1)
    assert errors.startswith("error: RAY_UNREACHABLE: no Ray at 127.0.0.1:1: ")
    process = begin(tmp_path / "pictures", "--preset", "none")
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors.count("\n")) == (2, 1)
    assert "none" in errors
    assert not (tmp_path / "out").exists()
