"""docs/commands.md says what the commands are and print: regenerated here, but for what only a long run prints."""

import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from googlenet_rcnn.cli.main import app

DOCS = Path(__file__).parents[1] / "docs"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the page is made on a pseudo-terminal")
COMMANDS = runpy.run_path(str(DOCS / "commands.py")) if sys.platform != "win32" else {}
CALLS = COMMANDS["read_calls"]() if COMMANDS else {}
PAGE = (DOCS / "commands.md").read_text("utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a reader of the page has before the first call."""
    place = tmp_path_factory.mktemp("calls")
    COMMANDS["prepare"](place)
    return place


def printed(call, folder):
    """What a call says on standard error, run in this process, and its exit status below."""
    script, *arguments = shlex.split(call)
    arguments = arguments if script == "googlenet-rcnn" else [script, *arguments]
    here = os.getcwd()
    os.chdir(folder)
    try:
        result = CliRunner().invoke(app, arguments, env=COMMANDS["ENVIRONMENT"])
    finally:
        os.chdir(here)
    return COMMANDS["masked"](result.stderr) + COMMANDS["status_line"](result.exit_code)


def test_the_page_has_every_command_and_flag():
    outputs = COMMANDS["outputs_in"](PAGE)
    assert COMMANDS["render"](outputs) == PAGE, "the page is stale: make commands"


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_answered_as_the_page_says(name, folder):
    call = CALLS[name].bad
    shown, now = COMMANDS["outputs_in"](PAGE)[call], printed(call, folder)
    assert re.search(r"\(exit status [235]\)\n\Z", shown)
    if shown.startswith("Usage: "):  # the words of typer, which a newer one may change
        shown, now = shown.splitlines()[-1], now.splitlines()[-1]
    assert now == shown


def test_good_calls_on_the_page_went_well():
    outputs = COMMANDS["outputs_in"](PAGE)
    for calls in CALLS.values():
        for call in calls.good:
            assert "exit status" not in outputs.get(call, ""), call
            assert "\x1b" not in outputs.get(call, "")


@pytest.mark.parametrize("entry", ["", '[detect]\ngood = ["detect a.png"]\n'])
def test_a_command_without_calls_is_told_with_what_to_add(tmp_path, entry):
    path = tmp_path / "calls.toml"
    path.write_text(entry)
    lacking = "bad" if entry else "good and bad"
    with pytest.raises(KeyError, match=rf'add {lacking} below \["detect"\] in .*calls\.toml'):
        COMMANDS["read_calls"](path)


def test_calls_of_no_command_are_told(tmp_path):
    path = tmp_path / "calls.toml"
    path.write_text((DOCS / "calls.toml").read_text("utf-8") + '\n[guess]\ngood = ["guess"]\nbad = "guess"\n')
    with pytest.raises(ValueError, match="calls of guess, which is no command"):
        COMMANDS["read_calls"](path)


def test_times_are_masked_and_other_numbers_are_not():
    text = (
        "cat.png  451x300, 390 proposals, 0.3 s\nimage 2/3, 12 s left\nimage 3/3, in 1.5 min\n--budget 90s: 15 boxes\n"
    )
    assert COMMANDS["masked"](text) == ("cat.png  451x300, 390 proposals, …\nimage 3/3, in …\n--budget 90s: 15 boxes\n")


def test_a_call_is_run_on_a_terminal_without_colours(folder):
    code = (
        "import sys, os; print(sys.stdout.isatty(), os.get_terminal_size is not None, os.environ['TERM']); sys.exit(3)"
    )
    assert COMMANDS["run"](f"python -c {shlex.quote(code)}", folder) == "True True dumb\n(exit status 3)\n"


def test_a_call_that_runs_for_ever_is_stopped_once_it_has_begun(folder):
    code = "import time; print('ready', flush=True); time.sleep(1000)"
    assert "KeyboardInterrupt" in COMMANDS["run"](f"python -c {shlex.quote(code)}", folder, until="ready")


@pytest.mark.slow
def test_every_good_call_prints_what_the_page_says(folder):
    outputs = COMMANDS["outputs_in"](PAGE)

    def rounded(text):
        """Numbers may differ in their last digits from processor to processor."""
        return re.sub(r"\d+(\.\d+)?", "#", text)

    for calls in CALLS.values():
        for call in calls.good:
            now = COMMANDS["masked"](COMMANDS["run"](call, folder, calls.until), calls.masks)
            assert rounded(now) == rounded(outputs.get(call, now)), call
