"""Validation with a detector that knows pure colours: figures that can be told in advance, files, and notes."""

import json

import pytest
from tiny_voc import truth

from googlenet_rcnn.cli.train.validation import DETECTIONS, validate
from googlenet_rcnn.core.types import Dataset, LabelSet, Sample, Size

SIZE = Size(20, 30)
LABELS = LabelSet(("red", "green", "blue"))
PART = (0, 0, 20, 10)  # of the boxes that the stub proposes


@pytest.fixture
def images(picture, tmp_path):
    """A red and a green picture, each with one object; the id is not the file's name."""
    samples = []
    for label, colour in enumerate(LABELS.names[:2]):
        path = picture(tmp_path / "pictures" / f"{label}.png", colour)
        samples.append(Sample(f"folder/{colour}", path, truth([(label, PART, False)], SIZE)))
    return Dataset(LABELS, tuple(samples))


def run(images, tmp_path, quiet=True):
    """Validates; gives the table, the figures and what was said."""
    said = []
    report = tmp_path / "report"
    table = validate("stub", images, "a <title>", report, threads=1, quiet=quiet, say=said.append)
    return table, json.loads((report / "metrics.json").read_text()), said


@pytest.mark.usefixtures("stub")
def test_each_object_is_found_after_one_false_box(images, tmp_path, rows):
    table, metrics, said = run(images, tmp_path)
    # Of two boxes with equal scores the false one comes first: precision is 1/2 at every recall.
    assert (metrics["map"], metrics["ap"], metrics["images"]) == (0.5, {"red": 0.5, "green": 0.5, "blue": None}, 2)
    assert (metrics["rule"], metrics["map_interval"]["low"], said) == ("voc07", 0.5, [])
    assert [line.split()[0] for line in table.splitlines()] == ["class", *LABELS.names, "mean", "mean"]
    found = rows(tmp_path / "report" / DETECTIONS)
    assert [row["image_id"] for row in found] == ["folder/red", "folder/green"]
    assert "a &lt;title&gt;" in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.usefixtures("stub")
def test_an_object_of_another_class_is_missed(images, tmp_path):
    wrong = Sample("x", images.samples[0].path, truth([(2, PART, False)], SIZE))
    _, metrics, _ = run(Dataset(LABELS, (wrong, images.samples[1])), tmp_path)
    assert metrics["ap"] == {"red": None, "green": 0.5, "blue": 0}
    assert metrics["map"] == 0.25


@pytest.mark.usefixtures("stub")
def test_a_picture_that_cannot_be_read_counts_as_empty_and_is_told(images, tmp_path):
    images.samples[0].path.write_bytes(b"no picture")
    _, metrics, said = run(images, tmp_path)
    assert metrics["ap"]["red"] == 0
    assert said == ["note: 1 images could not be read; they count as empty"]


@pytest.mark.usefixtures("stub")
def test_a_second_validation_replaces_the_first(images, tmp_path, capsys):
    first = run(images, tmp_path)
    assert run(images, tmp_path)[:2] == first[:2]
    assert capsys.readouterr().err == ""
    run(images, tmp_path, quiet=False)
    assert "validation image 2/2" in capsys.readouterr().err
