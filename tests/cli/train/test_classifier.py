"""`train-classifier` from the command line: what it finds, what it writes, what it refuses."""

import shutil

import numpy as np
import pytest
from command_errors import codes
from hostile import encoded, half_jpeg, photo, write
from typer.testing import CliRunner

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.cli.main import app
from googlenet_rcnn.cli.train import run as training_run

SETTINGS = ("heads=false", "train.epochs=1.0", "train.batch=2", "train.rate=0.001")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Four training images and two validation images of two classes."""
    root = tmp_path_factory.mktemp("tree")
    for number, place in enumerate(
        ("train/cat/a", "train/cat/b", "train/dog/c", "train/dog/d", "val/cat/e", "val/dog/f")
    ):
        folder = root / place.rpartition("/")[0]
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, f"{place[-1]}.png", encoded(np.roll(photo(40, 40), 7 * number, axis=0), "PNG"))
    return root


def command(tree, out, *more):
    flags = ["train-classifier", "--data", tree, "--out", out, "--threads", "1"]
    flags += [item for setting in SETTINGS for item in ("--set", setting)]
    return [str(item) for item in (*flags, *more)]


@pytest.fixture(scope="module")
def finished(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    return out, CliRunner().invoke(app, command(tree, out))


def test_a_run_trains_on_train_measures_on_val_and_classifies(finished, cli, tree) -> None:
    out, result = finished
    path = out / "classifier.safetensors"
    assert (result.exit_code, result.stdout) == (0, "")
    assert "classifier: step 2/2, main " in result.stderr
    assert "on 2 images" in result.stderr
    assert result.stderr.splitlines()[-1] == f"wrote {path}: use it with classify --weights {path}"
    card = read_card(path)
    assert (card.labels, card.data, card.metrics["images"]) == (("cat", "dog"), f"{tree.name} train", 2)
    classified = cli("classify", tree / "val" / "cat", "--weights", path, "--threads", "1", "--runtime", "torch")
    assert classified.exit_code == 0, classified.output
    figures = cli(
        "evaluate", "classification", "--data", tree, "--split", "val", "--weights", path, "--runtime", "torch"
    )
    assert f'"top1": {card.metrics["top1"]}' in figures.stdout


def test_a_second_run_into_the_folder_is_refused_and_resuming_a_finished_one_changes_nothing(finished, cli, tree):
    out, _ = finished
    again = cli(*command(tree, out))
    assert (again.exit_code, codes(again)) == (2, ["OUT_EXISTS"])
    before = (out / "classifier.safetensors").read_bytes()
    assert cli(*command(tree, out, "--resume")).exit_code == 0
    assert (out / "classifier.safetensors").read_bytes() == before
    other = cli(*command(tree, out, "--resume", "--set", "seed=3", "--set", "train.batch=1"))
    assert (other.exit_code, codes(other)) == (2, ["RESUME_DIFFERS"])
    assert "seed (0 then, 3 now), train.batch (2 then, 1 now)" in other.stderr


def test_other_settings_and_data_go_on_by_force_but_other_classes_never(finished, cli, tree, tmp_path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    forced = cli(*command(tree, out, "--force-resume", "--set", "seed=3", "--set", "train.epochs=1.5"))
    assert forced.exit_code == 0, forced.output
    assert "classifier: step 3/3, " in forced.stderr
    assert read_card(out / "classifier.safetensors").seed == 3
    for name in ("cat", "dog", "eel"):
        (tmp_path / "more" / "train" / name).mkdir(parents=True)
        write(tmp_path / "more" / "train" / name, "a.png", encoded(photo(40, 40), "PNG"))
    for flag, named in (("--resume", "classes"), ("--force-resume", "parameters")):
        other = cli(*command(tmp_path / "more", out, flag, "--set", "seed=3", "--set", "train.epochs=1.5"))
        assert (other.exit_code, codes(other)) == (2, ["RESUME_DIFFERS"])
        assert named in other.stderr.splitlines()[-1]


def test_a_run_that_goes_back_says_so_and_stops_in_the_end(cli, tree, tmp_path) -> None:
    flags = [flag for one in ("rate=1e30", "epochs=9.0", "momentum=0.0") for flag in ("--set", f"train.{one}")]
    result = cli(*command(tree, tmp_path / "out", "--nan", "rollback", *flags))
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("error: NOT_FINITE: step ")
    assert len([line for line in result.stderr.splitlines() if "going back to step 0" in line]) == 3
    assert not (tmp_path / "out" / "classifier.safetensors").exists()


def test_an_interrupted_run_resumes_to_the_same_bytes(finished, cli, tree, tmp_path, monkeypatch) -> None:
    report = training_run.TrainingRun.report

    def stop(self, stage, progress):
        if progress.step == 1:
            raise KeyboardInterrupt
        report(self, stage, progress)

    monkeypatch.setattr(training_run.TrainingRun, "report", stop)
    assert cli(*command(tree, tmp_path / "out", "--set", "train.checkpoint_minutes=0.0")).exit_code == 130
    monkeypatch.undo()
    assert cli(*command(tree, tmp_path / "out", "--resume", "--set", "train.checkpoint_minutes=0.0")).exit_code == 0
    wanted, got = (read_tensors(folder / "classifier.safetensors") for folder in (finished[0], tmp_path / "out"))
    assert all(np.array_equal(wanted[name].numpy(), got[name].numpy()) for name in wanted)


def test_a_plain_folder_of_classes_is_trained_on_whole(cli, tree, tmp_path) -> None:
    result = cli(*command(tree / "train", tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert read_card(tmp_path / "out" / "classifier.safetensors").metrics == {}


def test_a_class_may_be_called_train_and_other_splits_are_not_measured_on_val(cli, tree, tmp_path) -> None:
    """What trainval holds is in val as well; VOC has a class of trains."""
    for name in ("train", "val"):
        (tmp_path / "data" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(tree / name)
    (tmp_path / "data" / "trainval").symlink_to(tree / "train")
    result = cli(*command(tmp_path / "data", tmp_path / "a", "--split", "trainval"))
    assert result.exit_code == 0, result.output
    assert read_card(tmp_path / "a" / "classifier.safetensors").metrics == {}
    for name, source in (("train", "cat"), ("bus", "dog")):
        (tmp_path / "classes").mkdir(exist_ok=True)
        (tmp_path / "classes" / name).symlink_to(tree / "train" / source)
    result = cli(*command(tmp_path / "classes", tmp_path / "b"))
    assert result.exit_code == 0, result.output
    assert read_card(tmp_path / "b" / "classifier.safetensors").labels == ("bus", "train")


def test_unreadable_images_are_fatal_or_left_out_by_choice(cli, tree, tmp_path) -> None:
    for path in sorted(tree.rglob("*.png")):
        place = tmp_path / "tree" / path.relative_to(tree)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    write(tmp_path / "tree" / "train" / "dog", "cut.jpg", half_jpeg())
    fatal = cli(*command(tmp_path / "tree", tmp_path / "out"))
    assert (fatal.exit_code, codes(fatal)) == (3, ["IMG_UNREADABLE"])
    skipped = cli(*command(tmp_path / "tree", tmp_path / "out", "--on-error", "skip", "--resume"))
    assert skipped.exit_code == 0, skipped.output
    assert "1 of 5 images cannot be read and are left out" in skipped.stderr


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--threads", "0"), "FLAG_VALUE"),
        (("--on-error", "cry"), "FLAG_VALUE"),
        (("--nan", "cry"), "FLAG_VALUE"),
        (("--init", "none"), "WEIGHTS_UNKNOWN"),
        (("--set", "auxilary=0.2"), "RECIPE_KEY"),
        (("--set", "crops.area=[1.0, 0.5]"), "RECIPE_VALUE"),
        (("--set", "frozen_below=inception9"), "RECIPE_VALUE"),
        (("--recipe", "none.toml"), "RECIPE_MISSING"),
    ],
)
def test_wrong_settings_are_status_2(cli, tree, tmp_path, more, code) -> None:
    result = cli(*command(tree, tmp_path / "out", *more))
    assert (result.exit_code, codes(result)) == (2, [code])


def test_unusable_data_is_status_3(cli, tree, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one" / "train" / "cat").mkdir(parents=True)
    write(tmp_path / "one" / "train" / "cat", "a.png", encoded(photo(), "PNG"))
    for data, more, code in (
        (tmp_path / "gone", (), "DATA_MISSING"),
        (tmp_path / "empty", (), "DATA_UNRECOGNISED"),
        (tmp_path / "one", (), "CLASS_ONLY"),
        (tree, ("--split", "test"), "SPLIT_MISSING"),
    ):
        result = cli(*command(data, tmp_path / "out", *more))
        assert (result.exit_code, codes(result)) == (3, [code])
