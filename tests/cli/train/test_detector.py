import json
import shutil
import signal

import known_rates
import numpy as np
import pytest
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing
from typer.testing import CliRunner

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.cli.main import app
from googlenet_rcnn.core.types import Size

SETTINGS = (
    "proposals.preset=single", "proposals.superpixel_scale=8.0", "windows.positives=1", "windows.hard=1",
    "windows.background=1", "head.epochs=1.0", "head.batch=4", "network.epochs=0.4", "network.batch=2",
    "screen.head.side=32", "screen.head.channels=2", "screen.head.hidden=2", "screen.boxes=4",
    "screen.train.epochs=0.4", "screen.train.batch=2",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _no_measurement():
    with pytest.MonkeyPatch.context() as patch:
        known_rates.install(patch.setattr)
        yield


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Three small pictures with one object each."""
    root = tmp_path_factory.mktemp("devkit")
    xml = {
        f"00000{number}": annotation(thing(name, (10, 10, 50, 45)), size=Size(60, 80))
        for number, name in enumerate(("cat", "dog", "car"), start=1)
    }
    devkit(root, xml, split="trainval")
    for number, name in enumerate(xml):
        turned = np.roll(photo(), 20 * number, axis=1)
        write(root / "VOC2007" / "JPEGImages", f"{name}.jpg", encoded(turned, "JPEG"))
    return root


@pytest.fixture
def arguments(kit, classifier_file):
    """The command line of a run into a folder."""

    def build(out, *more):
        flags = ["train-detector", "--data", kit, "--split", "trainval", "--init", classifier_file, "--out", out]
        flags += ["--threads", "1"]
        flags += [item for setting in SETTINGS for item in ("--set", setting)]
        return [str(item) for item in (*flags, *more)]

    return build


@pytest.fixture(scope="module")
def finished(kit, classifier_file, tmp_path_factory):
    """A run that nothing interrupted: its folder, its cache and what it said."""
    folder = tmp_path_factory.mktemp("run")
    flags = ["train-detector", "--data", kit, "--split", "trainval", "--init", classifier_file, "--out", folder / "out"]
    flags += ["--cache", folder / "cache", "--threads", "1"]
    flags += [item for setting in SETTINGS for item in ("--set", setting)]
    return folder, CliRunner().invoke(app, [str(item) for item in flags])


def test_run_writes_a_detector_that_detect_reads(finished, kit, cli, rows):
    folder, result = finished
    assert (result.exit_code, result.stdout) == (0, "")
    assert "3 images" in result.stderr
    assert "about " in result.stderr
    assert "nothing was validated" in result.stderr
    assert not (folder / "out" / "report").exists()
    assert f"wrote {folder / 'out' / 'detector.safetensors'}" in result.stderr
    weights = folder / "out" / "detector.safetensors"
    card = read_card(weights)
    assert (card.task, len(card.labels), card.labels[6]) == ("detector", 20, "car")
    assert card.box_regression
    losses = [json.loads(line)["loss"] for line in (folder / "out" / "head" / "log.jsonl").read_text().splitlines()]
    assert {*map(frozenset, losses)} == {frozenset({"softmax", "boxes"})}
    recipe = json.loads((folder / "out" / "recipe.json").read_text())
    assert recipe["windows"]["hard"] == 1
    assert recipe["head"]["batch"] == 4
    assert card.screen["head"]["side"] == recipe["screen"]["head"]["side"] == 32
    picture = kit / "VOC2007" / "JPEGImages" / "000001.jpg"
    flags = ("--preset", "single", "--superpixel-scale", "8", "--score-threshold", "0", "--threads", "1")
    found = cli("detect", picture, "--weights", weights, *flags)
    assert found.exit_code == 0
    assert rows(found.stdout)[0]["detections"]


def test_second_run_into_the_same_folder_is_refused(finished, cli, arguments):
    folder, _ = finished
    before = (folder / "out" / "detector.safetensors").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache"))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: OUT_EXISTS: ")
    assert "--resume" in result.stderr
    assert (folder / "out" / "detector.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    "setting",
    [
        "head.rate=0.1",
        "classifier_rate=2.0",
        "context=0",
        "targets.object=0.9",
        "box_regression=false",
        "seed=1",
        "screen.boxes=5",
        "screen.train.rate=0.1",
    ],
)
def test_resume_with_other_settings_is_refused_and_changes_nothing(finished, cli, arguments, setting):
    folder, _ = finished
    before = (folder / "out" / "recipe.json").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache", "--resume", "--set", setting))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: RESUME_DIFFERS: ")
    assert (folder / "out" / "recipe.json").read_bytes() == before


def test_resume_of_a_finished_run_changes_nothing(finished, cli, arguments):
    folder, _ = finished
    before = (folder / "out" / "detector.safetensors").read_bytes()
    flags = ("--cache", folder / "cache", "--resume", "--quiet")
    result = cli(*arguments(folder / "out", *flags))
    assert (result.exit_code, result.stderr) == (0, "")
    assert (folder / "out" / "detector.safetensors").read_bytes() == before


INTERRUPT = """
import os, signal, known_rates
from googlenet_rcnn.cli.train import run as training_run
known_rates.install()
told = []
def interrupting(seconds):
    told.append(seconds)
    if len(told) == {line}:
        os.kill(os.getpid(), signal.SIGINT)
    return "0 s"
training_run.duration = interrupting
"""


@pytest.mark.parametrize(("line", "stage"), [pytest.param(1, "head", marks=pytest.mark.slow), (3, "network")])
def test_interrupted_run_resumes_to_the_same_bytes(finished, process, cli, arguments, tmp_path, line, stage):
    folder, _ = finished
    shutil.copytree(folder / "cache", tmp_path / "cache")
    command = arguments(tmp_path / "out", "--cache", tmp_path / "cache")
    result = process(*command, code=INTERRUPT.format(line=line))
    assert result.returncode == 128 + signal.SIGINT
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: INTERRUPTED: ")
    assert f"--resume continues {tmp_path / 'out' / stage}" in last
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out" / "detector.safetensors").exists()
    assert cli(*command, "--resume").exit_code == 0
    for name in ("detector.safetensors", "recipe.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / "out" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        (["--set", "windows.positive=3"], "RECIPE_KEY", "did you mean windows.positives?"),
        (["--set", "head.batch=many"], "RECIPE_VALUE", "head.batch"),
        (["--set", "head.batch"], "RECIPE_SET", "key=value"),
        (["--set", "targets.background=0.8"], "RECIPE_VALUE", "targets: "),
        (["--set", "targets.regression=0"], "RECIPE_VALUE", "targets.regression"),
        (["--set", "box_regression=perhaps"], "RECIPE_VALUE", "box_regression"),
        (["--recipe", "no-such.toml"], "RECIPE_MISSING", "no-such.toml"),
        (["--init", "no-such-model"], "WEIGHTS_UNKNOWN", "--init no-such-model"),
        (["--set", "proposals.preset=none"], "PROPOSAL_SETTING", "none"),
        (["--threads", "0"], "FLAG_VALUE", "--threads"),
    ],
)
def test_wrong_settings_are_status_2_and_leave_nothing(cli, arguments, tmp_path, more, code, hint):
    result = cli(*arguments(tmp_path / "out", "--cache", tmp_path / "cache", *more))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {code}: ")
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_data_without_objects_or_pictures_is_status_3(cli, classifier_file, tmp_path):
    for name, xml, code in (
        ("empty", annotation(size=Size(60, 80)), "NO_OBJECTS"),
        ("gone", annotation(thing("cat", (1, 1, 9, 9))), "IMG_MISSING"),
    ):
        devkit(tmp_path / name, {"x": xml, "y": xml}, split="trainval")
        for image in ("x", "y") if name == "empty" else ():
            write(tmp_path / name / "VOC2007" / "JPEGImages", f"{image}.jpg", encoded(photo(), "JPEG"))
        flags = ("--data", tmp_path / name, "--split", "trainval", "--init", classifier_file)
        folders = ("--out", tmp_path / "out" / name, "--cache", tmp_path / "cache")
        result = cli("train-detector", *flags, *folders, "--threads", "1")
        assert result.exit_code == 3
        assert result.stderr.splitlines()[-1].startswith(f"error: {code}: ")


def test_folders_that_cannot_be_made_are_status_2(cli, arguments, tmp_path):
    (tmp_path / "file").write_text("")
    for out, cache in (("file", "cache"), ("out", "file/cache")):
        result = cli(*arguments(tmp_path / out, "--cache", tmp_path / cache))
        assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_UNWRITABLE")
