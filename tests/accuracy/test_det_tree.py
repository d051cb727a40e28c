"""VOC's pictures as a tree of ILSVRC DET: it is read as it was meant, and a submission scores what its rows do."""

from importlib import import_module

import numpy as np
import pytest
from hostile import encoded, photo
from shared_data import SHARED, needs_shared
from tiny_voc import annotation, devkit, thing
from typer.testing import CliRunner

from googlenet_rcnn.cli.main import app
from googlenet_rcnn.core.types import Dataset, Size
from googlenet_rcnn.datasets.tree import read_dataset
from googlenet_rcnn.datasets.voc import read_voc

SIZE = Size(60, 80)
OBJECTS = (
    [("cat", (11, 11, 50, 45)), ("bottle", (1, 1, 20, 20))], [("dog", (21, 6, 70, 50))],
    [("boat", (5, 5, 40, 40)), ("cat", (41, 11, 75, 55))], [("pottedplant", (5, 5, 50, 50))],
)  # fmt: skip
TINY = (
    "proposals.preset=single", "proposals.superpixel_scale=8.0", "proposals.method=ss+priors", "proposals.multibox_k=5",
    "windows.positives=2", "windows.hard=1", "windows.background=1", "head.epochs=3.0", "head.batch=4",
    "network.epochs=0.0", "screen.train.epochs=0.0", "box_regression=false",
)  # fmt: skip


@pytest.fixture
def det_tree():
    return import_module("det_tree")


@pytest.fixture(scope="module")
def voc(tmp_path_factory):
    """Twelve small pictures; every third of them becomes val2, val1 and train in turn."""
    root = tmp_path_factory.mktemp("devkit")
    xml = {
        f"{n:06d}": annotation(*(thing(*one) for one in OBJECTS[n % 4]), size=SIZE) for n in range(12)
    }  # fmt: skip
    devkit(root, xml, split="val")
    for number, name in enumerate(xml):
        pixels = np.roll(photo(*SIZE), 5 * number, axis=1)
        (root / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(encoded(pixels, "JPEG"))
    return read_voc(root, "val")


def command(arguments):
    """Runs a command in this process; detects among few boxes, and builds no engine for weights that are used once."""
    few = ["--runtime", "torch", "--preset", "single", "--superpixel-scale", "8"] if arguments[0] == "detect" else []
    result = CliRunner().invoke(app, [*map(str, arguments), *few])
    assert result.exit_code == 0, result.stderr


def as_voc(data, sample):
    """The synsets' names and boxes of an image, in order."""
    return list(
        zip(
            [data.labels.names[label] for label in sample.truth.labels],
            sample.truth.boxes.coordinates.tolist(),
            strict=True,
        )
    )


def test_the_tree_is_read_as_it_was_meant(det_tree, voc, tmp_path):
    det_tree.lay_out(voc, tmp_path)
    names = {"cat": "domestic cat", "dog": "dog", "boat": "watercraft"}
    before = {sample.image_id: sample for sample in voc.samples}
    val = read_dataset(tmp_path, "val")
    assert [sample.number for sample in val.samples] == list(range(1, 9))
    for sample in val.samples:
        old = before[sample.image_id[-6:]]
        assert as_voc(val, sample) == [(names[name], box) for name, box in as_voc(voc, old) if name in names]
        assert sample.path.read_bytes() == old.path.read_bytes()
        assert sample.truth.size == old.truth.size
    val2, both = read_dataset(tmp_path, "val2"), read_dataset(tmp_path, "val1+train")
    assert [sample.number for sample in val2.samples] == [4, 3, 2, 1]
    assert [val2.samples[index].number for index, _ in val2.excluded] == [1]
    assert [sample.number for sample in both.samples] == [5, 6, 7, 8, None, None, None]
    # An image of train tells of one class only, whatever else is in it; one of pottedplant alone is in no list.
    assert [[name for name, _ in as_voc(both, sample)] for sample in both.samples if not sample.exhaustive] == [
        ["dog"], ["domestic cat"], ["watercraft"]
    ]  # fmt: skip
    assert all(sample.path.is_file() for sample in both.samples)


def test_a_submission_scores_what_the_json_lines_do(det_tree, voc, tmp_path, classifier):
    det_tree.lay_out(voc, tmp_path / "det")
    lines, submission = det_tree.prove(tmp_path, tmp_path / "det", command, TINY, classifier, "--threads", "1")
    assert lines == submission
    assert set(lines.classes) <= {"domestic cat", "dog", "watercraft"}
    rows = [line.split() for line in (tmp_path / "submission.txt").read_text().splitlines()]
    assert rows
    assert {int(row[0]) for row in rows} <= {1, 2, 3, 4}
    assert all(1 <= int(row[1]) <= 200 and len(row) == 7 for row in rows)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A classifier that has learnt nothing."""
    import torch

    from googlenet_rcnn.backbone.architectures import build_network
    from googlenet_rcnn.backbone.weights import save_weights
    from googlenet_rcnn.core.card import Card

    torch.manual_seed(0)
    card, path = Card(labels=("a", "b"), warp_side=64), tmp_path_factory.mktemp("init") / "init.safetensors"
    save_weights(path, build_network(card).state_dict(), card)
    return path


@needs_shared
def test_val_as_a_tree_has_the_objects_of_val(det_tree, tmp_path):
    voc = read_voc(SHARED / "VOCdevkit", "val")
    voc = Dataset(voc.labels, voc.samples[:300])
    det_tree.lay_out(voc, tmp_path)
    val = read_dataset(tmp_path, "val")
    assert len(val.samples) == 200
    assert val.findings == ()
    lacking = [voc.labels.names.index(name) for name in ("bottle", "pottedplant")]
    expected = [sample for place, sample in enumerate(voc.samples) if place % 3 < 2]
    assert sum(len(one.truth) for one in val.samples) == sum(
        (~np.isin(s.truth.labels, lacking)).sum() for s in expected
    )


@pytest.mark.slow
@needs_shared
def test_the_whole_way_on_real_pictures(det_tree, tmp_path, monkeypatch, capsys):
    twin = det_tree.Path(det_tree.__file__).with_name("voc07-twin.safetensors")
    arguments = ["--data", SHARED / "VOCdevkit", "--first", 45, "--init", twin, "--out", tmp_path]
    monkeypatch.setattr("sys.argv", ["det_tree.py", *map(str, arguments)])
    assert det_tree.main() == 0
    assert float(capsys.readouterr().out.split()[3]) > 0.1
