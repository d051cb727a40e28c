import subprocess
import sys

import pytest

from googlenet_rcnn.cli import main

HEAVY = ("torch", "numpy", "cv2", "torchvision", "sklearn", "numba", "PIL", "pydantic", "matplotlib")


@pytest.mark.parametrize(
    "command",
    [
        [], ["detect"], ["propose"], ["evaluate"], ["evaluate", "detections"], ["evaluate", "proposals"],
        ["evaluate", "compare"], ["evaluate", "classification"], ["explain"], ["train-detector"], ["import-weights"],
    ],
)  # fmt: skip
def test_help_of_every_command(cli, command):
    for flag in ("--help", "-h"):
        result = cli(*command, flag)
        assert result.exit_code == 0, flag
        assert "Usage: " in result.stdout


@pytest.mark.parametrize(
    ("name", "flag"),
    [("detect", "--weights"), ("propose", "--method"), ("evaluate", "detections"), ("train_detector", "--init")],
)
def test_each_script_of_its_own_shows_its_command(monkeypatch, capsys, name, flag):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        getattr(main, name)()
    assert caught.value.code == 0
    assert flag in capsys.readouterr().out


def test_the_module_itself_is_a_command():
    command = [sys.executable, "-m", "googlenet_rcnn.cli.main", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: googlenet-rcnn " in result.stdout
    assert "train-detector" in result.stdout


def test_help_imports_nothing_heavy():
    code = f"import sys, googlenet_rcnn.cli.main\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"
