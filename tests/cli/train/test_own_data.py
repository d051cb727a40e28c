"""One command from a folder of annotated pictures to a detector and its report, within a given time."""

import json
import shutil

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
    "windows.background=1", "head.batch=16", "screen.head.side=32", "screen.head.channels=2", "screen.head.hidden=2",
    "screen.boxes=4",
)  # fmt: skip
# Training the whole network is so slow here that no budget buys any of it.
SLOW = known_rates.RATES._replace(network=0.001)


@pytest.fixture(scope="module", autouse=True)
def _no_measurement():
    with pytest.MonkeyPatch.context() as patch:
        known_rates.install(patch.setattr, SLOW)
        yield


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Five small pictures of two classes of one's own, in a bare folder."""
    root = tmp_path_factory.mktemp("own")
    xml = {
        f"p{number}": annotation(thing("bolt" if number % 2 else "nut", (10, 10, 50, 45)), size=Size(60, 80))
        for number in range(5)
    }
    devkit(root, xml, split="train", year="mine")
    (root / "mine" / "labels.txt").write_text("nut\nbolt\n")
    for number, name in enumerate(xml):
        turned = np.roll(photo(), 20 * number, axis=1)
        write(root / "mine" / "JPEGImages", f"{name}.jpg", encoded(turned, "JPEG"))
    return root / "mine"


def flags(kit, init, out, *more):
    """The command line of a run into a folder."""
    command = ["train-detector", "--data", kit, "--init", init, "--out", out, "--threads", "1", *more]
    return [str(item) for item in command] + [item for setting in SETTINGS for item in ("--set", setting)]


@pytest.fixture(scope="module")
def finished(kit, classifier_file, tmp_path_factory):
    """A run within a budget: its folder and what it said."""
    folder = tmp_path_factory.mktemp("run")
    command = flags(kit, classifier_file, folder / "out", "--cache", folder / "cache", "--budget", "10m")
    return folder, CliRunner().invoke(app, command)


def test_the_run_tells_its_plan_the_figures_and_the_next_command(finished):
    folder, result = finished
    assert result.exit_code == 0
    said = result.stderr
    for part in (
        "note: classes with fewer than 10 objects to learn from: nut (",
        "4 images to propose in and 16 windows to train on, 1 images to validate",
        "planned for 10 min: 3 windows an image",
        "about ",
        f"pictures: {folder / 'out' / 'report' / 'report.html'}",
    ):
        assert part in said, part
    next_command = f"detect --image photo.jpg --weights {folder / 'out' / 'detector.safetensors'}"
    assert said.splitlines()[-1].endswith(next_command)
    table = result.stdout.splitlines()
    assert [line.split()[0] for line in table] == ["class", "nut", "bolt", "mean", "mean"]
    assert "resampled images" in table[-1]


def test_the_recipe_is_the_plan_and_the_detector_can_be_used(finished, cli, kit, rows):
    out = finished[0] / "out"
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["head"]["epochs"] == 10
    assert recipe["network"]["epochs"] == 0
    assert recipe["screen"]["train"]["epochs"] == 60
    card = read_card(out / "detector.safetensors")
    assert card.labels == ("nut", "bolt")
    assert card.recipe == recipe
    assert card.screen["head"]["side"] == 32
    assert card.data == "mine train without 1 of 5 images"
    picture = kit / "JPEGImages" / "p0.jpg"
    found = cli("detect", picture, "--weights", out / "detector.safetensors", "--score-threshold", "0", "--threads", 1)
    assert found.exit_code == 0
    assert {one["label"] for one in rows(found.stdout)[0]["detections"]} <= {"nut", "bolt"}


def test_the_report_is_about_the_picture_that_was_held_out(finished, rows):
    out = finished[0] / "out"
    held = rows(out / "report" / "detections.jsonl")
    trained = {path.stem for path in (finished[0] / "cache").glob("windows-*/*.safetensors")}
    assert len(held) == 1
    assert trained == {f"p{number}" for number in range(5)} - {held[0]["image_id"]}
    metrics = json.loads((out / "report" / "metrics.json").read_text())
    assert (metrics["rule"], metrics["images"], set(metrics["ap"])) == ("voc07", 1, {"nut", "bolt"})
    assert {"map_interval", "errors"} <= metrics.keys()
    assert "not trained on" in (out / "report" / "report.html").read_text()


@pytest.mark.parametrize("more", [(), ("--budget", "20h")])
def test_resuming_keeps_the_plan(finished, cli, kit, classifier_file, tmp_path, more):
    folder, first = finished
    out = shutil.copytree(folder / "out", tmp_path / "out")
    command = flags(kit, classifier_file, out, "--cache", folder / "cache", "--resume", *more)
    if not more:  # no settings at all: the run has its own
        command = command[: command.index("--set")]
    result = cli(*command)
    assert (result.exit_code, result.stdout) == (0, first.stdout)
    for name in ("recipe.json", "detector.safetensors", "report/metrics.json"):
        assert (out / name).read_bytes() == (folder / "out" / name).read_bytes(), name
    assert "planned" not in result.stderr


def test_resuming_with_another_holdout_is_refused(finished, cli, kit, classifier_file, tmp_path):
    folder, _ = finished
    out = shutil.copytree(folder / "out", tmp_path / "out")
    command = flags(kit, classifier_file, out, "--cache", folder / "cache", "--resume", "--holdout", "0")
    result = cli(*command, "--budget", "10m")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: RESUME_DIFFERS: ")


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [
        (("--budget", "15"), "FLAG_VALUE", "--budget 15"),
        (("--holdout", "1"), "FLAG_VALUE", "--holdout"),
        (("--budget", "5s"), "BUDGET_SMALL", "give at least"),
        (("--init", "none"), "WEIGHTS_UNKNOWN", "--init none"),
    ],
)
def test_wrong_flags_are_told_in_one_line(cli, kit, classifier_file, tmp_path, more, code, hint):
    result = cli(*flags(kit, classifier_file, tmp_path / "out", "--cache", tmp_path / "cache", *more))
    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"error: {code}: ")
    assert hint in last
    assert not (tmp_path / "out" / "recipe.json").exists()


def test_a_budget_is_for_one_process(cli, kit, classifier_file, tmp_path, monkeypatch):
    from googlenet_rcnn.backbone import processes

    monkeypatch.setattr(processes, "join_processes", lambda: processes.Processes(0, 2))
    command = flags(kit, classifier_file, tmp_path / "out", "--cache", tmp_path / "cache", "--budget", "10m")
    result = cli(*command)
    assert (result.exit_code, "torchrun" in result.stderr) == (2, True)
