"""No command opens a connection, reports to anybody or installs anything, whatever the runtime."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import no_network
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.core.types import Size

RUNTIMES = [name for name in ("torch", "onnxruntime", "openvino") if find_spec(name)]


def test_the_main_commands_where_sockets_raise(tmp_path, detector_file, classifier_file) -> None:
    """One process for all of them, with an empty home, as at the first use."""
    kit = devkit(tmp_path / "kit", {"1": annotation(thing("cat", (10, 10, 50, 45)), size=Size(60, 80))}, split="val")
    picture = write(kit / "VOC2007" / "JPEGImages", "1.jpg", encoded(photo(), "JPEG"))
    for name in ("cat", "dog"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        write(tmp_path / "tree" / name, "a.png", encoded(photo(40, 40), "PNG"))
    fast = ["--preset", "single", "--superpixel-scale", "8", "--threads", "1"]
    detect = ["detect", picture, "--weights", detector_file, *fast, "--score-threshold", "0", "--runtime"]
    found = tmp_path / "found.jsonl"
    training = ["train.epochs=0.5", "train.batch=1", "heads=false"]
    commands = [
        *([*detect, runtime, "--out", found.with_suffix(f".{runtime}")] for runtime in RUNTIMES),
        [*detect, "auto", "--out", found, "--draw", tmp_path / "drawn"],
        ["propose", picture, *fast, "--out", tmp_path / "boxes.jsonl"],
        ["classify", picture, "--weights", classifier_file, "--threads", "1", "--out", tmp_path / "classes.jsonl"],
        ["evaluate", "detections", "--data", kit, "--split", "val", "--detections", found, "--report", tmp_path / "r"],
        ["train-classifier", "--data", tmp_path / "tree", "--out", tmp_path / "run", "--threads", "1"]
        + [flag for one in training for flag in ("--set", one)],
        ["doctor"],
    ]
    asked = json.dumps([[str(word) for word in command] for command in commands])
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, no_network.__file__, asked],
        env=os.environ | home, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["seen"] == []
    assert told["statuses"][:-1] == [0] * (len(commands) - 1), run.stderr
    left = {path.name for path in Path(tmp_path / "home").iterdir()} if (tmp_path / "home").exists() else set()
    assert left <= {"googlenet-rcnn", "numba", "matplotlib", "torch", ".cache"}  # no identity of the user among them


def test_the_watch_sees_what_is_forbidden() -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(no_network.__file__).parent)!r}); import no_network, socket\n"
    code += "sys.addaudithook(no_network._watch)\n"
    code += "try: socket.create_connection(('127.0.0.1', 9))\nexcept no_network.Forbidden: print('seen')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == "seen\n", result.stderr
