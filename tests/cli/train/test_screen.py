import json
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from command_errors import codes
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing
from typer.testing import CliRunner

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine_choice import load_engine
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.cli.main import app
from googlenet_rcnn.cli.train import run as training_run
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.screening import Screen

SETTINGS = (
    "proposals.preset=single", "proposals.superpixel_scale=8.0", "screen.head.side=32", "screen.head.channels=2",
    "screen.head.hidden=2", "screen.boxes=4", "screen.train.epochs=1.0", "screen.train.batch=1",
)  # fmt: skip


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


def command(kit, weights, out, *more):
    """The command line of a run into a folder."""
    flags = ["train-screen", "--data", kit, "--weights", weights, "--out", out, "--threads", "1"]
    flags += [item for setting in SETTINGS for item in ("--set", setting)]
    return [str(item) for item in (*flags, *more)]


@pytest.fixture
def arguments(kit, detector_file):
    return lambda out, *more: command(kit, detector_file, out, *more)


@pytest.fixture(scope="module")
def finished(kit, detector_file, tmp_path_factory):
    """A run that nothing interrupted: its folder, its cache and what it said."""
    folder = tmp_path_factory.mktemp("run")
    flags = command(kit, detector_file, folder / "out", "--cache", folder / "cache")
    return folder, CliRunner().invoke(app, flags)


def test_run_writes_the_detector_with_a_head_that_screens(finished, detector_file, kit):
    folder, result = finished
    path = folder / "out" / "detector.safetensors"
    assert (result.exit_code, result.stdout) == (0, "")
    assert "screening windows of 3 of 3 images" in result.stderr
    assert "maps of 3 of 3 images" in result.stderr
    assert "screen: step 3/3, screen " in result.stderr
    assert result.stderr.splitlines()[-1] == f"wrote {path}: use it with detect --weights {path}"
    before, after, card = read_tensors(detector_file), read_tensors(path), read_card(path)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert (card.screen["head"]["side"], card.screen["data"]) == (32, f"{kit.name} trainval")
    recipe = json.loads((folder / "out" / "recipe.json").read_text())
    assert card.recipe["screen"] == recipe["screen"] | {name: recipe[name] for name in ("seed", "proposals", "targets")}
    assert recipe["screen"]["train"]["clip"] == 10.0  # what is not set stays as built in
    boxes = Boxes(np.array([[0, 0, 80, 60], [10, 10, 50, 45]], np.float32), Size(60, 80))
    screen = Screen.load(path, lambda side: load_engine(path, "trunk", "torch", side))
    assert screen.probabilities(photo(), boxes).shape == (len(boxes), 1 + len(read_card(path).labels))


def test_second_run_into_the_same_folder_is_refused(finished, cli, arguments):
    folder, _ = finished
    before = (folder / "out" / "detector.safetensors").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache"))
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert (folder / "out" / "detector.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    "setting", ["seed=1", "targets.object=0.9", "screen.boxes=5", "screen.head.context=1.0", "screen.train.rate=0.1"]
)
def test_resume_with_other_settings_is_refused_and_changes_nothing(finished, cli, arguments, setting):
    folder, _ = finished
    before = (folder / "out" / "recipe.json").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache", "--resume", "--set", setting))
    assert (result.exit_code, codes(result)) == (2, ["RESUME_DIFFERS"])
    assert f"other {setting.partition('=')[0]} (" in result.stderr
    assert (folder / "out" / "recipe.json").read_bytes() == before


def test_settings_that_change_no_weight_are_free_to_change(finished, cli, arguments, tmp_path):
    folder, _ = finished
    shutil.copytree(folder / "out", tmp_path / "out")
    flags = [f"--set=screen.train.{setting}" for setting in ("workers=1", "accumulate=2", "checkpoint_minutes=1.0")]
    result = cli(*arguments(tmp_path / "out", "--cache", folder / "cache", "--resume", *flags))
    assert result.exit_code == 0
    before, after = (read_tensors(path / "out" / "detector.safetensors") for path in (folder, tmp_path))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("there", [True, False])
def test_a_processor_without_bf16_is_told_of(cli, arguments, tmp_path, monkeypatch, there):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: there)
    result = cli(*arguments(tmp_path / "out", "--cache", tmp_path / "cache", "--set=screen.train.precision=bf16"))
    assert result.exit_code == 0, result.output
    assert ("computed in fp32" in result.stderr) != there


def test_a_run_goes_on_for_more_epochs_and_its_recipe_says_so(finished, cli, arguments, tmp_path):
    folder, _ = finished
    shutil.copytree(folder / "out", tmp_path / "out")
    result = cli(*arguments(tmp_path / "out", "--cache", folder / "cache", "--resume", "--set=screen.train.epochs=2.0"))
    assert result.exit_code == 0, result.output
    assert "screen: step 6/6" in result.stderr
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["screen"]["train"]["epochs"] == 2
    assert len((tmp_path / "out" / "screen" / "log.jsonl").read_text().splitlines()) == 6


def test_interrupted_run_resumes_to_the_same_bytes(finished, cli, arguments, tmp_path, monkeypatch):
    folder, _ = finished
    shutil.copytree(folder / "cache", tmp_path / "cache")
    flags = arguments(tmp_path / "out", "--cache", tmp_path / "cache")
    with monkeypatch.context() as patch:

        def interrupting(seconds):
            os.kill(os.getpid(), signal.SIGINT)
            return "0 s"

        patch.setattr(training_run, "duration", interrupting)
        result = cli(*flags)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1].startswith("error: INTERRUPTED: stopped after step 1 of 3; --resume ")
    assert not (tmp_path / "out" / "detector.safetensors").exists()
    assert cli(*flags, "--resume").exit_code == 0
    for name in ("detector.safetensors", "recipe.json", "origin.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / "out" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        (["--set", "screen.box=3"], "RECIPE_KEY", "did you mean screen.boxes?"),
        (["--set", "screen.head.side=33"], "RECIPE_VALUE", "screen.head.side"),
        (["--set", "screen.train.epochs=0.0"], "RECIPE_VALUE", "epochs"),
        (["--set", "screen"], "RECIPE_SET", "key=value"),
        (["--recipe", "no-such.toml"], "RECIPE_MISSING", "no-such.toml"),
        (["--weights", "no-such-model"], "WEIGHTS_UNKNOWN", "weights no-such-model"),
        (["--set", "proposals.preset=none"], "PROPOSAL_SETTING", "none"),
        (["--threads", "0"], "FLAG_VALUE", "--threads"),
    ],
)
def test_wrong_settings_are_status_2_and_leave_nothing(cli, arguments, tmp_path, more, code, hint):
    result = cli(*arguments(tmp_path / "out", "--cache", tmp_path / "cache", *more))
    assert (result.exit_code, codes(result)) == (2, [code])
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_unusable_data_and_weights_are_status_3(cli, kit, detector_file, classifier_file, tmp_path):
    devkit(tmp_path / "empty", {"x": annotation()}, split="trainval")
    for number, (data, weights, code) in enumerate(
        ((tmp_path / "empty", detector_file, "NO_OBJECTS"), (kit, classifier_file, "MODEL_TASK"))
    ):
        result = cli(*command(data, weights, tmp_path / f"out{number}", "--cache", tmp_path / "cache"))
        assert (result.exit_code, codes(result)) == (3, [code])


def test_help_names_its_flags(cli):
    result = cli("train-screen", "--help")
    assert result.exit_code == 0
    for flag in ("--weights", "--data", "--split", "--out", "--recipe", "--set", "--cache", "--resume", "--threads"):
        assert flag in result.stdout
