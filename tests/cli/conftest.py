"""The commands as a user calls them: in this process with stub parts, or as a real one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stub_detector
import torch
from hostile import encoded, write
from typer.testing import CliRunner

from googlenet_rcnn.cli.main import app

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(autouse=True)
def _threads_as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def stub(monkeypatch):
    """`detect` without weights in this process; gives the classifier."""
    return stub_detector.install(monkeypatch.setattr)


@pytest.fixture
def cli():
    """Runs a command in this process; gives exit_code, stdout and stderr."""

    def run(*arguments, stdin=None, **environment):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, env=environment)

    return run


@pytest.fixture
def detect(cli, stub):
    """Runs `detect` with the stub; every proposal above 0.2 counts."""

    def run(*arguments, stdin=None):
        return cli("detect", "--score-threshold", "0.2", "--threads", "1", *arguments, stdin=stdin)

    return run


@pytest.fixture
def process():
    """Runs Python code, or `googlenet-rcnn` with arguments after code, as a process of its own."""

    def run(*arguments, code="", **options):
        source = f"import sys; sys.path.insert(0, {str(SUPPORT)!r})\n{code}\n"
        source += "from googlenet_rcnn.cli.main import main; main()"
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", source, *map(str, arguments)]
        defaults = {"capture_output": True, "text": True, "timeout": 240, "env": environment}
        return subprocess.run(command, check=False, **(defaults | options))

    return run


@pytest.fixture
def picture():
    """Writes a flat picture of one pure colour."""

    def make(path, colour="red", size=(20, 30)):
        path = Path(path)
        rgb = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}[colour]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((*size, 3), rgb, dtype=np.uint8)
        return write(path.parent, path.name, encoded(pixels, "PNG"))

    return make


@pytest.fixture
def album(tmp_path, picture):
    """A folder with a red, a green and a blue picture."""
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        picture(tmp_path / "album" / f"{name}.png", colour)
    return tmp_path / "album"


@pytest.fixture
def rows():
    """The objects of a JSON-lines text or file, without the times, which no two runs share."""

    def read(source, keep_ms=False):
        text = source.read_text() if isinstance(source, Path) else source
        found = [json.loads(line) for line in text.splitlines()]
        return [{key: row[key] for key in row if keep_ms or key != "ms"} for row in found]

    return read
