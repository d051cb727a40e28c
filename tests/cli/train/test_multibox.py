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

from googlenet_rcnn.api import weights_files
from googlenet_rcnn.api.build import build_proposer
from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.backbone.architectures import identity, load_network
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.trunk import NOT_TRUNK
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.cli.main import app
from googlenet_rcnn.cli.train import run as training_run
from googlenet_rcnn.core.types import Size

SETTINGS = (
    "priors=4", "views.crops=1", "head.channels=8", "head.hidden=8", "head.grid=2",
    "train.epochs=1.0", "train.batch=3", "train.warmup=0", "train.rate=0.001",
)  # fmt: skip


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Three small pictures with one or two objects each."""
    root = tmp_path_factory.mktemp("devkit")
    objects = ([(10, 10, 50, 45)], [(5, 20, 30, 55), (40, 2, 79, 30)], [(20, 5, 60, 50)])
    xml = {
        f"00000{number}": annotation(*(thing("cat", box) for box in boxes), size=Size(60, 80))
        for number, boxes in enumerate(objects, start=1)
    }
    devkit(root, xml, split="trainval")
    for number, name in enumerate(xml):
        turned = np.roll(photo(), 20 * number, axis=1)
        write(root / "VOC2007" / "JPEGImages", f"{name}.jpg", encoded(turned, "JPEG"))
    return root


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def command(kit, trunk, out, *more):
    """The command line of a run into a folder."""
    flags = ["train-multibox", "--data", kit, "--trunk", trunk, "--out", out, "--threads", "1"]
    flags += [item for setting in SETTINGS for item in ("--set", setting)]
    return [str(item) for item in (*flags, *more)]


@pytest.fixture(scope="module")
def classifier_file(checkpoint, tmp_path_factory):
    """A classifier that has learnt nothing, with as many cells in its map as MultiBox looks at."""
    path = tmp_path_factory.mktemp("weights") / "classifier.safetensors"
    return checkpoint(path, task="classifier", labels=tuple("abcde"), warp_side=224)


@pytest.fixture
def arguments(kit, classifier_file):
    return lambda out, *more: command(kit, classifier_file, out, *more)


@pytest.fixture(scope="module")
def finished(kit, classifier_file, tmp_path_factory):
    """A run that nothing interrupted: its folder, its cache and what it said."""
    folder = tmp_path_factory.mktemp("run")
    flags = command(kit, classifier_file, folder / "out", "--cache", folder / "cache")
    return folder, CliRunner().invoke(app, flags)


def test_run_writes_a_multibox_that_proposes(finished, kit, classifier_file):
    folder, result = finished
    path = folder / "out" / "multibox.safetensors"
    assert (result.exit_code, result.stdout) == (0, "")
    assert "maps of 3 of 3 images" in result.stderr
    assert "multibox: step 3/3, location " in result.stderr
    assert result.stderr.splitlines()[-1].startswith(f"wrote {path}: use it with propose --method multibox ")
    card = read_card(path)
    assert (card.task, card.data, card.labels) == ("multibox", f"{kit.name} trainval", tuple("abcde"))
    assert json.loads((folder / "out" / "recipe.json").read_text()) == card.recipe
    assert (card.recipe["priors"], card.recipe["head"]["grid"], card.recipe["train"]["batch"]) == (4, 2, 3)
    assert card.recipe["train"]["clip"] == 20.0  # what is not set stays as built in
    assert "trunk.conv1.0.weight" in read_tensors(path)  # as no other file has it
    assert card.trunk == identity(load_network(classifier_file).network, without=NOT_TRUNK)
    found = build_proposer("multibox", multibox=str(path), runtime=Runtime("torch", 1)).propose(photo())
    assert 0 < len(found) <= 4
    assert found.source_names == ("multibox",)


def test_the_maps_are_those_of_views_of_each_image_in_the_cache(finished):
    folder, _ = finished
    (maps,) = (folder / "cache").iterdir()
    assert maps.name.startswith("maps-")
    shards = sorted(maps.iterdir())
    assert [path.stem for path in shards] == ["000001", "000002", "000003"]
    assert {tuple(read_tensors(path)["activations"].shape) for path in shards} == {(3, 832, 14, 14)}


def test_second_run_into_the_same_folder_is_refused(finished, cli, arguments):
    folder, _ = finished
    before = (folder / "out" / "multibox.safetensors").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache"))
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert "--resume" in result.stderr
    assert (folder / "out" / "multibox.safetensors").read_bytes() == before


@pytest.mark.parametrize("setting", ["alpha=3.0", "views.crops=2", "head.scale=0.2", "train.rate=0.1", "seed=1"])
def test_resume_with_other_settings_is_refused_and_changes_nothing(finished, cli, arguments, setting):
    folder, _ = finished
    before = (folder / "out" / "recipe.json").read_bytes()
    result = cli(*arguments(folder / "out", "--cache", folder / "cache", "--resume", "--set", setting))
    assert (result.exit_code, codes(result)) == (2, ["RESUME_DIFFERS"])
    assert f"other {setting.partition('=')[0]} (" in result.stderr
    assert (folder / "out" / "recipe.json").read_bytes() == before


def test_resume_on_another_trunk_is_refused(finished, cli, kit, checkpoint, tmp_path):
    folder, _ = finished
    other = checkpoint(tmp_path / "other.safetensors", seed=1, task="classifier", labels=tuple("abcde"), warp_side=224)
    result = cli(*command(kit, other, folder / "out", "--cache", folder / "cache", "--resume"))
    assert (result.exit_code, codes(result)) == (2, ["RESUME_DIFFERS"])
    assert "other trunk" in result.stderr


def test_resume_with_a_recipe_that_cannot_be_read_is_refused(cli, arguments, tmp_path):
    for text in ("", "[]", '{"priors": "many"}'):
        (tmp_path / "recipe.json").write_text(text)
        result = cli(*arguments(tmp_path, "--cache", tmp_path, "--resume"))
        assert (result.exit_code, codes(result)) == (2, ["RESUME_DIFFERS"])
        assert "cannot be read" in result.stderr


def test_resume_of_a_finished_run_changes_nothing(finished, cli, arguments):
    folder, _ = finished
    before = contents(folder / "out")
    result = cli(*arguments(folder / "out", "--cache", folder / "cache", "--resume", "--quiet"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert contents(folder / "out") == before


def test_settings_that_change_no_weight_are_free_to_change(finished, cli, arguments, tmp_path):
    folder, _ = finished
    shutil.copytree(folder / "out", tmp_path / "out")
    flags = [f"--set=train.{setting}" for setting in ("workers=1", "accumulate=2", "checkpoint_minutes=1.0")]
    result = cli(*arguments(tmp_path / "out", "--cache", folder / "cache", "--resume", *flags))
    assert result.exit_code == 0
    before, after = (read_tensors(path / "out" / "multibox.safetensors") for path in (folder, tmp_path))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


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
    assert not (tmp_path / "out" / "multibox.safetensors").exists()
    assert cli(*flags, "--resume").exit_code == 0
    for name in ("multibox.safetensors", "recipe.json", "origin.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / "out" / name).read_bytes(), name


def test_a_trunk_with_another_map_than_the_head_pools_is_refused(kit, checkpoint, cli, tmp_path):
    small = checkpoint(tmp_path / "small.safetensors", task="classifier", labels=("a", "b"), warp_side=64)
    result = cli(*command(kit, small, tmp_path / "out"))
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TRUNK"])
    assert "looks at 64 pixels a side, a MultiBox at 224" in result.stderr
    assert not (tmp_path / "out").exists()


def test_trunk_that_ships_is_used_by_name_and_not_written_again(kit, classifier_file, cli, tmp_path, monkeypatch):
    monkeypatch.setattr(weights_files, "shipped_weights", lambda: {"voc07": classifier_file})
    result = cli(*command(kit, "voc07", tmp_path / "out", "--cache", tmp_path / "cache"))
    assert result.exit_code == 0
    path = tmp_path / "out" / "multibox.safetensors"
    assert all(name.startswith("head.") for name in read_tensors(path))
    assert len(build_proposer("multibox", multibox=str(path), runtime=Runtime("torch", 1)).propose(photo())) > 0


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        (["--set", "views.crop=3"], "RECIPE_KEY", "did you mean views.crops?"),
        (["--set", "priors=0"], "RECIPE_VALUE", "priors"),
        (["--set", "train.batch=many"], "RECIPE_VALUE", "train.batch"),
        (["--set", "views.least_area=2.0"], "RECIPE_VALUE", "views: "),
        (["--set", "alpha"], "RECIPE_SET", "key=value"),
        (["--recipe", "no-such.toml"], "RECIPE_MISSING", "no-such.toml"),
        (["--trunk", "no-such-model"], "WEIGHTS_UNKNOWN", "--trunk no-such-model"),
        (["--threads", "0"], "FLAG_VALUE", "--threads"),
    ],
)
def test_wrong_settings_are_status_2_and_leave_nothing(cli, arguments, tmp_path, more, code, hint):
    result = cli(*arguments(tmp_path / "out", "--cache", tmp_path / "cache", *more))
    assert (result.exit_code, codes(result)) == (2, [code])
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_unusable_data_is_status_3(cli, classifier_file, tmp_path):
    many = [thing("cat", (1, 1, 9 + n, 9)) for n in range(4)]
    for name, xml, code in (
        ("empty", annotation(), "TOO_FEW_OBJECTS"),
        ("difficult", annotation(*(one.replace(">0<", ">1<") for one in many)), "TOO_FEW_OBJECTS"),
        ("gone", annotation(*many), "IMG_MISSING"),
        ("other", annotation(*many, size=Size(60, 81)), "SIZE_MISMATCH"),
    ):
        root = devkit(tmp_path / name, {"x": xml}, split="trainval")
        if name == "other":
            write(root / "VOC2007" / "JPEGImages", "x.jpg", encoded(photo(), "JPEG"))
        result = cli(*command(root, classifier_file, tmp_path / "out" / name, "--cache", tmp_path / "cache"))
        assert (result.exit_code, codes(result)) == (3, [code])


def test_folders_that_cannot_be_made_are_status_2(cli, arguments, tmp_path):
    (tmp_path / "file").write_text("")
    for out, cache in (("file", "cache"), ("out", "file/cache")):
        result = cli(*arguments(tmp_path / out, "--cache", tmp_path / cache))
        assert (result.exit_code, codes(result)) == (2, ["OUT_UNWRITABLE"])
