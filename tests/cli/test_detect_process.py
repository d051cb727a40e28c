import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_errors import codes
from hostile import encoded, photo, write

from googlenet_rcnn.api import build, weights_files
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.detector import regions
from googlenet_rcnn.detector.warp import Warp

INSTALL = "import stub_detector; stub_detector.install(classifier={classifier})"


def test_killed_process_loses_and_doubles_nothing(process, detect, album, tmp_path, rows):
    out, good = tmp_path / "out.jsonl", tmp_path / "good.jsonl"
    arguments = ("detect", "--score-threshold", "0.2", "--threads", "1", album)
    killed = INSTALL.format(classifier="stub_detector.killed_after(2)")
    assert process(*arguments, "--out", out, code=killed).returncode == -9
    assert not out.exists()
    assert len(rows(tmp_path / "out.jsonl.part")) == 2
    assert detect(album, "--out", out).exit_code == 0
    assert detect(album, "--out", good).exit_code == 0
    assert rows(out) == rows(good)
    assert not list(tmp_path.glob("out.jsonl.*"))


def test_reader_that_goes_away_is_a_clean_end(process, album):
    install = INSTALL.format(classifier=None)
    with open(os.devnull) as nothing:
        reading, writing = os.pipe()
        os.close(reading)  # as `head` does once it has its line
        options = {"stdout": writing, "stderr": subprocess.PIPE, "stdin": nothing, "capture_output": False}
        result = process("detect", *([album] * 20), "--threads", "1", "--quiet", code=install, **options)
        os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")


def test_process_detects_with_real_weights_and_so_does_an_ensemble(
    process, cli, detector_file, checkpoint, tmp_path, rows
):
    """The whole way: networks, proposals, a file that is bad, JSON lines on a pipe."""
    images = (write(tmp_path, "a.jpg", encoded(photo(40, 50), "JPEG")), write(tmp_path, "b.jpg", b""))
    other = checkpoint(tmp_path / "other.safetensors", seed=1)
    flags = ("--preset", "single", "--superpixel-scale", "8", "--score-threshold", "0.01", "--threads", "1", "--quiet")
    command = ("detect", "--weights", detector_file, *flags, "--runtime", "torch", "--image", *images)
    one = process(*command)
    assert (one.returncode, codes(one)) == (4, ["IMG_EMPTY"])
    row, bad = rows(one.stdout)
    assert bad["code"] == "IMG_EMPTY"
    assert row["proposals"] > 0
    assert row["detections"]
    assert rows(cli(*command).stdout) == rows(one.stdout)
    both = rows(cli(*command, "--weights", other).stdout)[0]
    assert both["proposals"] == row["proposals"]
    assert both["detections"] != row["detections"]


def test_installed_script_is_there():
    script = Path(sys.executable).with_name("detect")
    if not script.is_file():
        pytest.skip("the package's scripts are not installed")
    result = subprocess.run([script], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, codes(result)) == (2, ["NO_IMAGES"])


def test_members_of_an_ensemble_must_share_labels(cli, album, monkeypatch):
    members = {
        "one": SimpleNamespace(labels=LabelSet(("a", "b")), warp=Warp()),
        "labels": SimpleNamespace(labels=LabelSet(("b", "a")), warp=Warp()),
    }
    monkeypatch.setattr(weights_files, "find_weights", lambda name: name)
    monkeypatch.setattr(build, "suited", lambda weights, threshold, vote: (0.5, vote))
    monkeypatch.setattr(regions, "GoogLeNetRegions", SimpleNamespace(load=lambda path, *runtime: members[path]))
    result = cli("detect", album, "--weights", "one", "--weights", "labels", "--threads", "1")
    assert (result.exit_code, codes(result)) == (2, ["ENSEMBLE_LABELS"])
