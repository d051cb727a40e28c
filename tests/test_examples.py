"""The examples in Python do what they show: the script as a process, the notebook cell by cell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
import skimage

EXAMPLES = Path(__file__).parents[1] / "examples"
CAT = Path(skimage.__file__).parent / "data" / "chelsea.png"


def test_the_script_tells_what_is_in_a_photo_and_which_cannot_be_read(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    command = [sys.executable, str(EXAMPLES / "detect_in_python.py"), str(CAT), str(tmp_path / "empty.jpg")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True, env=environment)
    first, found, bad = result.stdout.splitlines()
    assert first == f"{CAT}: 451x300, 1 found"
    assert found.split()[0] == "cat"
    assert "IMG_EMPTY" in bad


@pytest.fixture
def notebook(monkeypatch):
    """The notebook, and pictures that go nowhere."""
    before = matplotlib.get_backend()
    plt.switch_backend("Agg")
    yield json.loads((EXAMPLES / "detection.ipynb").read_text("utf-8"))
    plt.close("all")
    plt.switch_backend(before)


def test_the_notebook_runs_from_top_to_bottom(notebook, capsys):
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["found"].names == ("cat",)
    assert names["crops"].shape == (len(names["proposals"]), 224, 224, 3)
    assert "('cat', 0." in capsys.readouterr().out
    assert len(plt.get_fignums()) >= 5


def test_the_notebook_is_kept_without_outputs(notebook):
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
