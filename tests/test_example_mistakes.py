"""docs/check.md shows what the commands say about what examples/usual_mistakes.py writes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from googlenet_rcnn.cli.main import app

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A folder with the data set in it."""
    folder = tmp_path_factory.mktemp("example")
    program = [sys.executable, str(ROOT / "examples" / "usual_mistakes.py"), "mine"]
    subprocess.run(program, cwd=folder, check=True, timeout=120)
    assert subprocess.run(program, cwd=folder, check=False, capture_output=True, timeout=120).returncode == 1
    return folder


def said(*arguments):
    """Lines that a command prints."""
    return CliRunner().invoke(app, [*arguments]).stdout.rstrip().splitlines()


def shown():
    """The lines of each block of docs/check.md that begins with a command, by the command."""
    blocks = re.findall(
        r"^```\n\$ googlenet-rcnn (.+?)\n(.+?)\n```", (ROOT / "docs/check.md").read_text("utf-8"), re.M | re.S
    )
    return {command: text.splitlines() for command, text in blocks}


def test_the_page_shows_what_the_commands_say(mine, monkeypatch):
    monkeypatch.chdir(mine)
    blocks = shown()
    assert list(blocks) == [
        "check mine", "check mine --fix mended", "convert mended --to coco --out coco"
    ]  # fmt: skip
    check, fix, convert = blocks.values()
    assert said("check", "mine", "--quiet") == check
    lines = said("check", "mine", "--fix", "mended", "--quiet")
    assert fix[0] == fix[-1] == "..."
    start = lines.index(fix[1])
    assert lines[start : start + len(fix) - 2] == fix[1:-1]
    assert said("convert", "mended", "--to", "coco", "--out", "coco") == convert
