import matplotlib.image
import numpy as np
import pytest
from tiny_voc import SIZE, dataset, truth

from googlenet_rcnn.core.types import Boxes, LabelSet, Proposals
from googlenet_rcnn.eval.proposal_plots import draw_proposal_plots
from googlenet_rcnn.eval.proposal_recall import proposal_recall
from googlenet_rcnn.eval.proposal_report import proposal_metrics, proposal_table

LABELS = LabelSet(("cat", "dog"))


def measured(*names, images=3):
    """A cat an image; of each source, one box on it and one elsewhere."""
    truths = [truth([(0, (10, 10, 60, 60), False)])] * images
    boxes = np.array([(100, 0, 150, 50), (10, 10, 60, 55)] * len(names), dtype=np.float32)
    sources = np.repeat(np.arange(len(names)), 2)
    one = Proposals(Boxes(boxes.reshape(-1, 4), SIZE), np.zeros(len(boxes)), sources, names)
    return proposal_recall(dataset(truths), {f"{place:06d}": one for place in range(images)} if names else {})


@pytest.mark.parametrize(
    ("names", "rows"), [((), ["all"]), (("ss",), ["ss"]), (("ss", "multibox"), ["multibox", "ss", "all"])]
)
def test_table_has_a_row_for_each_source_and_one_for_all_of_several(names, rows):
    lines = proposal_table(proposal_metrics(measured(*names), LABELS)).splitlines()
    assert lines[0].split() == ["source", "boxes/image", "recall@0.5", "recall@0.7", "average", "MABO"]
    assert [line.split()[0] for line in lines[1 : 1 + len(rows)]] == rows
    assert lines[1 + len(rows)] == ""


def test_table_shows_the_figures():
    lines = proposal_table(proposal_metrics(measured("ss"), LABELS)).splitlines()
    assert lines[1].split() == ["ss", "2.0", "1.0000", "1.0000", "0.9000", "0.9000"]
    assert lines[3].split()[:2] == ["first", "10"]
    assert lines[4].split() == ["@0.5"] + ["1.0000"] * 10
    assert [line.split()[1] for line in lines if line.startswith(("<32", "32-60", "60-96", "96+"))] == list("0300")
    assert [line.split()[1] for line in lines[-3:]] == ["0.9000", "-", "0.9000"]


def test_table_without_images():
    lines = proposal_table(proposal_metrics(measured(images=0), LABELS)).splitlines()
    assert lines[1].split() == ["all", "-", "-", "-", "-", "-"]


@pytest.mark.parametrize("names", [(), ("ss",), ("a", "b", "c", "d", "e", "f", "g")])
@pytest.mark.parametrize("images", [0, 2])
def test_plots_are_pictures_and_repeatable(tmp_path, names, images):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        paths = draw_proposal_plots(measured(*names, images=images), tmp_path / folder)
    assert [path.name for path in paths] == ["recall_overlap.png", "recall_boxes.png"]
    for path in paths:
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes()
        pixels = matplotlib.image.imread(path)
        assert pixels.shape == (660, 960, 4)
        assert pixels[..., :3].min() < 0.1
        assert (pixels[5, 5] == 1).all()
