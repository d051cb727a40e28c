import json
import shutil
import sys

import pytest

from googlenet_rcnn.cli import doctor
from googlenet_rcnn.cli.doctor import Finding, examine
from googlenet_rcnn.cli.machine import Memory
from googlenet_rcnn.cli.packages import Package
from googlenet_rcnn.core.errors import Exit

HEAVY = ("torch", "torchvision", "numba", "sklearn", "openvino", "onnxruntime", "matplotlib")


def states():
    """State of each finding by its name."""
    return {one.name: one.state for one in examine()}


def test_this_computer_is_healthy(cli):
    result = cli("doctor")
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert lines[-1] == "everything that is needed is there; next: detect --image photo.jpg"
    assert {line.split()[0] for line in lines[:-1]} <= {"ok", "note", "warning", "pip"}
    assert "\x1b" not in result.stdout


def test_json_has_the_same_findings(cli):
    result = cli("doctor", "--json")
    told = json.loads(result.stdout)
    assert told["ok"] is True
    assert told["schema"] == 1
    by_name = {one["name"]: one for one in told["findings"]}
    assert list(by_name) == [one.name for one in examine()]
    assert by_name["threads"]["values"]["threads"] >= 1
    assert by_name["weights voc07"]["values"]["task"] == "detector"
    assert by_name["weights multibox-voc07"]["values"]["task"] == "multibox"
    assert by_name["packages"]["values"]["numpy"]


def test_it_loads_nothing_heavy(process):
    code = f"import atexit; atexit.register(lambda: print([n for n in {HEAVY!r} if n in sys.modules], file=sys.stderr))"
    result = process("doctor", "--json", code=code)
    assert result.returncode == 0
    assert json.loads(result.stdout)["ok"]
    assert result.stderr.strip() == "[]"


def test_a_package_that_is_missing_is_broken(cli, monkeypatch):
    found = [Package("numpy", "2.1", "2.0"), Package("scipy", None, "1.13"), Package("pillow", "9.0", "13.0")]
    monkeypatch.setattr(doctor, "required_packages", lambda: found)
    result = cli("doctor")
    assert result.exit_code == Exit.DATA
    assert "scipy is not installed; scipy>=1.13 is needed" in result.stdout
    assert "pillow 9.0; pillow>=13.0 is needed" in result.stdout
    assert "pip install 'scipy>=1.13'" in result.stdout
    assert result.stdout.splitlines()[-1] == "broken: packages; do what stands below it, then run doctor again"


@pytest.mark.parametrize(
    ("wheels", "state"),
    [
        (["opencv-python"], "ok"),
        (["opencv-python", "opencv-python-headless"], "warning"),
        (["opencv-python", "opencv-contrib-python-headless"], "warning"),
        ([], "broken"),
    ],
)
def test_two_opencv_wheels_are_one_too_many(monkeypatch, wheels, state):
    monkeypatch.setattr(doctor, "opencv_wheels", lambda: wheels)
    (found,) = (one for one in examine() if one.name == "opencv")
    assert found.state == state
    assert all(wheel in found.text for wheel in wheels)
    assert (found.mend == "") == (state == "ok")


def test_a_module_that_does_not_load_is_broken(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    (found,) = (one for one in examine() if one.name == "loading")
    assert found.state == "broken"
    assert found.text.startswith("import cv2: ModuleNotFoundError")


def test_a_runtime_that_is_not_installed_is_only_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "openvino" else "1.0")
    found = {one.name: one for one in examine()}
    assert found["runtime openvino"] == Finding(
        "runtime openvino", "note", "not installed", "pip install openvino", {"version": None}
    )
    assert found["runtime onnxruntime"].state == "ok"


def test_an_extra_that_is_not_installed_is_a_note_with_what_to_install(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: None if name == "uvicorn" else "1.0")
    found = {one.name: one for one in examine()}
    assert found["extra ray"].state == "ok"
    assert found["extra serve"] == Finding(
        "extra serve",
        "note",
        "for the page in the browser: uvicorn not installed",
        "pip install 'googlenet-rcnn[serve]', in a checkout '.[serve]'",
        {"lacking": ["uvicorn"]},
    )


def test_damaged_weights_are_broken(monkeypatch, tmp_path):
    paths = {one.values["path"] for one in examine() if one.name.startswith("weights")}
    (tmp_path / "weights").mkdir()
    for path in paths:
        shutil.copy(path, tmp_path / "weights")
    monkeypatch.setattr(doctor, "files", lambda package: tmp_path)
    assert "broken" not in states().values()
    with open(tmp_path / "weights" / "voc07.safetensors", "r+b") as stream:
        stream.truncate(100_000)
    assert states()["weights voc07"] == "broken"
    assert states()["weights multibox-voc07"] == "ok"


def test_no_weights_are_broken(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "files", lambda package: tmp_path)
    assert states()["weights"] == "broken"


@pytest.mark.parametrize(("memory", "state"), [((8 << 30, None), "ok"), ((8 << 30, 512 << 20), "warning")])
def test_little_memory_is_a_warning(monkeypatch, memory, state):
    monkeypatch.setattr(doctor, "read_memory", lambda: Memory(*memory))
    assert states()["memory"] == state


def test_memory_that_is_not_told_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "read_memory", lambda: Memory(None, None))
    assert states()["memory"] == "note"


def test_the_cache_is_measured_and_may_be_unwritable(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a" / "b"))
    (found,) = (one for one in examine() if one.name == "cache")
    assert (found.state, found.values["bytes"]) == ("ok", 0)
    assert not (tmp_path / "a").exists()
    kept = tmp_path / "a" / "b" / "googlenet-rcnn" / "engines"
    kept.mkdir(parents=True)
    (kept / "engine").write_bytes(bytes(1000))
    (found,) = (one for one in examine() if one.name == "cache")
    assert found.values["bytes"] == 1000

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    (found,) = (one for one in examine() if one.name == "cache")
    assert found.state == "warning"
    assert "Permission denied" in found.text


def test_uncompiled_selective_search_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor, "uncompiled_functions", lambda: ["grouping._group"])
    assert states()["selective search"] == "note"


def test_deep_loads_packages_and_weights(monkeypatch):
    monkeypatch.setattr(doctor, "_LOADED_IN_DEPTH", ("torch",))
    monkeypatch.setattr(doctor, "RUNTIME_PACKAGES", ("torch",))
    found = {one.name: one for one in examine(deep=True)}
    assert "torch" in found["loading"].values["loaded"]
    assert found["runtime torch"].text.endswith(" loads")
    assert "broken" not in {one.state for one in found.values()}


def test_deep_finds_a_runtime_that_is_installed_but_does_not_load(monkeypatch):
    monkeypatch.setattr(doctor, "_LOADED_IN_DEPTH", ())
    monkeypatch.setattr(doctor, "RUNTIME_PACKAGES", ("openvino",))
    monkeypatch.setattr(doctor, "installed", lambda name: "1.0")

    def refuse():
        raise ImportError("libtbb.so.12: cannot open shared object file")

    monkeypatch.setitem(doctor._QUIETLY, "openvino", refuse)
    found = {one.name: one for one in examine(deep=True)}
    assert found["runtime openvino"].state == "warning"
    assert "libtbb.so.12" in found["runtime openvino"].text
    assert found["runtime openvino"].mend == "pip install --force-reinstall openvino"


@pytest.mark.slow
def test_deep_finds_nothing_wrong_here():
    assert "broken" not in {one.state for one in examine(deep=True)}


def test_help_of_both_commands(cli):
    for command in ("doctor", "bench"):
        result = cli(command, "--help")
        assert result.exit_code == 0
        assert "--json" in result.stdout


def test_colours_are_for_terminals_that_want_them(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    doctor.run_doctor()
    assert "\x1b[32mok" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    doctor.run_doctor()
    assert "\x1b" not in capsys.readouterr().out
