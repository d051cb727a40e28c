import inspect
import os
import subprocess
import sys
import tomllib
import typing
from pathlib import Path

import pytest

from googlenet_rcnn.cli import main

HEAVY = ("torch", "numpy", "cv2", "torchvision", "sklearn", "numba", "PIL", "pydantic", "matplotlib")


PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
COMMANDS = {(name,): function for name, function in main.COMMANDS.items()}
COMMANDS |= {("evaluate", name): function for name, function in main.EVALUATIONS.items()}


@pytest.mark.parametrize("command", [(), ("evaluate",), *COMMANDS])
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


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_every_word_that_a_flag_says_of_itself(cli, command):
    shown = " ".join(cli(*command, "--help", COLUMNS="80").stdout.split())
    assert " ".join(inspect.getdoc(COMMANDS[command]).split()) in shown
    for annotation in typing.get_type_hints(COMMANDS[command], include_extras=True).values():
        for flag in getattr(annotation, "__metadata__", ()):
            assert " ".join(flag.help.split()) in shown


def test_the_list_of_commands_says_the_whole_of_what_each_does(cli):
    shown = " ".join(cli("--help").stdout.split())
    for function in main.COMMANDS.values():
        assert " ".join(function.__doc__.split()) in shown


def test_version_is_that_of_the_package(cli, monkeypatch):
    assert cli("--version").stdout == f"googlenet-rcnn {PROJECT['version']}\n"
    monkeypatch.setattr("googlenet_rcnn.cli.packages.installed", lambda name: None)
    assert cli("--version").stdout == "googlenet-rcnn (not installed)\n"


def completed(script, words, shell="bash"):
    """What a shell is told when somebody presses the tab key after these words."""
    program, _, function = PROJECT["scripts"][script].partition(":")
    code = f"import {program} as module; module.{function}()"
    wanted = {f"_{script.replace('-', '_').upper()}_COMPLETE": f"complete_{shell}"}
    wanted |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_TYPER_COMPLETE_ARGS": words}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=os.environ | wanted, capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("script", "words", "expected"),
    [
        ("googlenet-rcnn", "googlenet-rcnn train-s", ["train-screen", "train-svm"]),
        ("googlenet-rcnn", "googlenet-rcnn detect --weig", ["--weights"]),
        ("googlenet-rcnn", "googlenet-rcnn evaluate comp", ["compare"]),
        ("detect", "detect --weig", ["--weights"]),
        ("evaluate", "evaluate detections --bo", ["--bootstrap"]),
    ],
)
def test_shells_complete_commands_and_flags(script, words, expected):
    assert completed(script, words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_shown_for_each_shell(cli, monkeypatch, shell):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = cli("--show-completion", shell)
    assert result.exit_code == 0
    assert f"_COMPLETE=complete_{shell}" in result.stdout


def test_no_escape_codes_reach_a_terminal_that_does_not_want_them(cli, monkeypatch):
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            patch.setenv(name, value)
            for arguments in (["--help"], ["detect", "--help"], ["detect", "--no-such-flag"]):
                result = cli(*arguments)
                assert "\x1b" not in result.stdout + result.stderr
