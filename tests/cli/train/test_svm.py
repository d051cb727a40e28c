"""`train-svm` from the command line: a detector that `detect` takes, and what is refused."""

import numpy as np
import pytest
from command_errors import codes
from hostile import encoded, photo, write
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.core.types import Size

SETTINGS = ("proposals.preset=single", "proposals.superpixel_scale=8.0", "windows.hard=2", "windows.background=2")


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
def arguments(kit, detector_file, tmp_path):
    """The command line of a run that writes a file."""

    def command(out, *more):
        flags = ["train-svm", "--data", kit, "--weights", detector_file, "--out", out, "--threads", "1"]
        flags += ["--cache", tmp_path / "cache", "--runtime", "torch"]
        flags += [item for setting in SETTINGS for item in ("--set", setting)]
        return [str(item) for item in (*flags, *more)]

    return command


def test_a_run_writes_a_detector_that_detect_takes(cli, arguments, kit, tmp_path) -> None:
    out = tmp_path / "svm.safetensors"
    result = cli(*arguments(out))
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[-1] == f"wrote {out}: use it with detect --weights {out}"
    assert "class cat: 1 objects" in result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("note: no object of class")]) == 17
    assert read_card(out).recipe["svm"]["windows"]["hard"] == 2
    picture = kit / "VOC2007" / "JPEGImages" / "000001.jpg"
    found = cli("detect", picture, "--weights", out, "--threads", "1", "--runtime", "torch", "--score-threshold", "0")
    assert found.exit_code == 0, found.output
    before = out.read_bytes()
    again = cli(*arguments(out))
    assert (again.exit_code, codes(again)) == (2, ["OUT_EXISTS"])
    quiet = cli(*arguments(out, "--overwrite", "--quiet"))
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--threads", "0"), "FLAG_VALUE"),
        (("--runtime", "abacus"), "RUNTIME_UNKNOWN"),
        (("--weights", "none"), "WEIGHTS_UNKNOWN"),
        (("--set", "svm.cost=0.0"), "RECIPE_VALUE"),
        (("--set", "svm.C=1.0"), "RECIPE_KEY"),
    ],
)
def test_wrong_settings_are_status_2_and_leave_nothing(cli, arguments, tmp_path, more, code) -> None:
    out = tmp_path / "svm.safetensors"
    result = cli(*arguments(out, *more))
    assert (result.exit_code, codes(result)) == (2, [code])
    assert not out.exists()


def test_unusable_data_and_weights_are_status_3(cli, arguments, classifier_file, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    for more, code in ((("--data", tmp_path / "empty"), 3), (("--weights", classifier_file), 3)):
        assert cli(*arguments(tmp_path / "svm.safetensors", *more)).exit_code == code
