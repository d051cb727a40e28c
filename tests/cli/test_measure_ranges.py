"""`measure-ranges`: the same tensors to the byte, and a Card that an int8 engine can be built from."""

import numpy as np
import pytest
from drawn_networks import PAPER, draw
from hostile import encoded, photo, write
from safetensors import safe_open

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.folding import layer_names
from googlenet_rcnn.backbone.weights import read_tensors, save_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A detector in half precision without ranges, and a folder with two pictures and a broken one."""
    folder = tmp_path_factory.mktemp("bare")
    drawn = draw(folder)
    card = drawn.card.model_copy(update={"ranges": None, "licence": "CC0"})
    save_weights(folder / "bare.safetensors", read_tensors(drawn.path), card, half=True)
    (folder / "album").mkdir()
    for number in range(2):
        write(folder / "album", f"{number}.png", encoded(photo(90, 120) // (number + 1), "PNG"))
    write(folder / "album", "z.png", b"no picture")
    return folder / "bare.safetensors", folder / "album"


def tensors(path):
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_a_detector_gains_ranges_and_nothing_else_changes(cli, bare, tmp_path) -> None:
    weights, album = bare
    out = tmp_path / "new.safetensors"
    flags = ("measure-ranges", weights, "--image", album, "--threads", "1")
    result = cli(*flags, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == f"wrote {out}: ranges of 59 layers, measured on 2 images"
    assert any(line.startswith("note: left out: ") and "z.png" in line for line in result.stderr.splitlines())
    before, after = tensors(weights), tensors(out)
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)
    assert all(before[name].dtype == after[name].dtype == np.float16 for name in before)
    card = read_card(out)
    assert card.model_copy(update={"ranges": None}) == read_card(weights)
    assert card.ranges.keys() == {*layer_names("googlenet"), "lrn1", "lrn2"}
    assert all(value > 0 for value in card.ranges.values())
    again, other = tmp_path / "again.safetensors", tmp_path / "other.safetensors"
    cli(*flags, "--out", again)
    cli(*flags, "--out", other, "--seed", "1")
    assert again.read_bytes() == out.read_bytes()
    assert read_card(other).ranges != card.ranges
    refused = cli(*flags, "--out", out)
    assert (refused.exit_code, "OUT_EXISTS" in refused.stderr) == (2, True)


def test_images_are_chosen_evenly_up_to_a_limit(cli, bare, tmp_path) -> None:
    weights, album = bare
    result = cli(
        "measure-ranges", weights, "--image", album / "0.png", "--image", album / "1.png", "--image", album / "0.png",
        "--out", tmp_path / "new", "--limit", "2", "--threads", "1",
    )  # fmt: skip
    assert result.stderr.splitlines()[-1].endswith("measured on 2 images")


def test_a_classifier_is_measured_on_its_own_crops(cli, bare, tmp_path) -> None:
    drawn = draw(tmp_path, PAPER.model_copy(update={"task": "classifier", "box_regression": False}))
    out = tmp_path / "new"
    result = cli("measure-ranges", drawn.path, "--image", bare[1] / "0.png", "--out", out, "--threads", "1")
    assert result.exit_code == 0, result.stderr
    assert read_card(out).ranges != drawn.card.ranges


def test_without_a_picture_there_is_nothing_to_measure(cli, bare, tmp_path) -> None:
    weights, album = bare
    result = cli("measure-ranges", weights, "--image", album / "z.png", "--out", tmp_path / "new", "--threads", "1")
    assert result.exit_code == 3
    assert "error: NO_IMAGES: " in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_multibox_is_sent_to_its_trunk(cli, tmp_path, bare) -> None:
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.cli.measure_ranges import run_measure_ranges
    from googlenet_rcnn.core.errors import ModelError

    drawn = draw(tmp_path)
    path = tmp_path / "multibox.safetensors"
    trunk = {f"trunk.{name}": value for name, value in read_tensors(drawn.path).items()}
    save_weights(path, trunk, drawn.card.model_copy(update={"task": "multibox"}))
    assert find_weights(str(path)) == path
    with pytest.raises(ModelError, match="measure the ranges of the detector"):
        run_measure_ranges(str(path), [str(bare[1])], tmp_path / "new", threads=1)
