"""What a user installs: the wheel holds everything a command needs, and nothing generic."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 35 << 20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_is_small_and_holds_only_our_package(wheel: Path) -> None:
    assert wheel.stat().st_size <= LIMIT
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    assert all(top == "googlenet_rcnn" or top.endswith(".dist-info") for top in tops)
    assert "googlenet_rcnn/detector/weights/voc07.safetensors" in names
    assert "googlenet_rcnn/backbone/shipped/voc20.safetensors" in names
    assert "googlenet_rcnn/datasets/labels/voc20.txt" in names
    assert "googlenet_rcnn/core/py.typed" in names
    assert {path.name for path in (ROOT / "cli" / "web").iterdir()} == {
        name.rpartition("/")[2] for name in names if name.startswith("googlenet_rcnn/cli/web/")
    }
    assert not any("/tests/" in name for name in names)


def test_detect_runs_from_the_wheel_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    picture = tmp_path / "elsewhere" / "plain.png"
    picture.parent.mkdir()
    PillowImage.fromarray(np.full((60, 80, 3), 200, np.uint8)).save(picture)
    code = (
        "import googlenet_rcnn.cli.main as m, sys; print(m.__file__, file=sys.stderr); "
        f"sys.argv = ['detect', {str(picture)!r}]; m.detect()"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=picture.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert str(site) in result.stderr
    row = json.loads(result.stdout)
    assert (row["image_id"], row["status"], row["width"], row["height"]) == ("plain", "ok", 80, 60)
