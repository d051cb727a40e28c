import re

import numpy as np
import pytest
from analysed import analysed
from hostile import encoded
from parsed_page import ParsedPage
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.core.types import Dataset, LabelSet, Sample
from googlenet_rcnn.eval.gallery import false_gallery, missed_gallery

OBJECT, FAR, AWAY = (0, 0, 10, 10), (50, 50, 60, 60), (150, 10, 190, 50)


@pytest.fixture
def hang(tmp_path):
    """Both galleries of some detections, with grey pictures unless there shall be none."""

    def run(rows, truths, pictures=True):
        samples = []
        for index, one in enumerate(truths):
            path = tmp_path / f"{index}.png"
            if pictures:
                path.write_bytes(encoded(np.full((*one.size, 3), 90, dtype=np.uint8), "PNG"))
            samples.append(Sample(f"<b>{index}", path, one))
        data, errors = Dataset(LabelSet(tuple("abc")), samples), analysed(rows, truths)
        return [ParsedPage(part(data, errors)) for part in (false_gallery, missed_gallery)]

    return run


def test_false_detections_come_by_score_with_their_reason(hang):
    """FAULTS 90: the image ids hold markup."""
    scene = [truth([(0, OBJECT, False), (1, FAR, False)])]
    rows = [(0, 0, 0.9, OBJECT), (0, 0, 0.8, OBJECT), (0, 2, 0.7, FAR), (0, 2, 0.6, AWAY), (0, 0, 0.5, (0, 0, 10, 4))]
    read, _ = hang(rows, scene)
    assert read.text("figcaption") == [
        "a 0.800 in <b>0: localisation (duplicate), overlap 1.00 with a a",
        "c 0.700 in <b>0: other (classification), overlap 1.00 with a b",
        "c 0.600 in <b>0: background",
        "a 0.500 in <b>0: localisation, overlap 0.40 with a a",
    ]
    assert [picture["alt"] for picture in read.all("img")] == read.text("figcaption")
    assert all(picture["src"].startswith("data:image/jpeg;base64,") for picture in read.all("img"))
    # Each box twice, light over dark; the object's is dashed.
    assert len(read.all("rect")) == 2 * (2 + 2 + 1 + 2)
    assert len([box for box in read.all("rect") if "stroke-dasharray" in box]) == 3


def test_missed_objects_come_by_the_part_of_the_image_they_fill(hang):
    small, large = truth([(0, OBJECT, False), (2, AWAY, True)]), truth([(1, (0, 0, 150, 90), False), (0, FAR, False)])
    rows = [(1, 0, 0.9, FAR), (0, 2, 0.8, FAR), (0, 2, 0.7, FAR), (0, 2, 0.6, FAR), (0, 0, 0.2, OBJECT)]
    _, read = hang(rows, [small, large])
    assert read.text("figcaption") == ["b in <b>1: not detected", "a in <b>0: detected with too low a score"]
    assert "object (dashed)" in read.text("li")
    assert "detection" not in read.text("li")


def test_without_pictures_there_are_words(hang):
    rows = [(0, 1, 0.5, FAR)]
    for read in hang(rows, [truth([(0, OBJECT, False)])], pictures=False):
        assert read.all("img") == []
        assert len(read.text("figcaption")) == 1
        assert any("1 of 1 have no picture" in text for text in read.text("p"))


def test_nothing_wrong_and_nothing_there(hang):
    for rows, truths in (([(0, 0, 0.5, OBJECT)], [truth([(0, OBJECT, False)])]), ([], []), ([], [truth()])):
        false, missed = hang(rows, truths)
        assert false.text("p") == ["No detection is false."]
        assert missed.text("p") == ["No object is missed."]


def test_numbers_of_pictures_are_bounded(hang):
    truths, rows = random_case(1, images=60)
    galleries = hang(rows, truths, pictures=False)
    assert [len(read.text("figcaption")) for read in galleries] == [24, 24]
    scores = [float(re.match(r"\w ([\d.]+)", text)[1]) for text in galleries[0].text("figcaption")]
    assert scores == sorted(scores, reverse=True)
