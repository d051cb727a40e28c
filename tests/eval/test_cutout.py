import base64
from io import BytesIO

import numpy as np
import pytest
from hostile import encoded
from PIL import Image
from tiny_voc import truth

from googlenet_rcnn.core.types import Sample
from googlenet_rcnn.eval.cutout import cut_out


@pytest.fixture
def sample(tmp_path):
    """A black picture 200 wide and 100 high with a white square at 40..60, 30..50."""
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[30:50, 40:60] = 255
    (tmp_path / "a.png").write_bytes(encoded(pixels, "PNG"))
    return Sample("a", tmp_path / "a.png", truth())


def pixels_of(cut):
    head, data = cut.uri.split(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("L")).astype(float)


def test_the_box_lies_where_the_thing_is(sample):
    cut = cut_out(sample, [(40, 30, 60, 50)])
    pixels, (x1, y1, x2, y2) = pixels_of(cut), np.round(cut.boxes[0]).astype(int)
    assert pixels.shape == (cut.height, cut.width)
    assert pixels[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].min() > 200
    outside = pixels.copy()
    outside[y1 - 6 : y2 + 6, x1 - 6 : x2 + 6] = 0
    assert outside.max() < 50
    assert x1 > 5
    assert cut.width - x2 > 5


@pytest.mark.parametrize(
    "boxes",
    [
        [(0, 0, 200, 100)],
        [(0, 0, 1, 1)],
        [(199, 99, 200, 100)],
        [(-50, -50, 20, 20)],
        [(10, 10, 900, 20)],
        [(40, 30, 60, 50), (150, 80, 160, 90)],
        [(0, 0, 200, 0.5)],
    ],
)
def test_any_box_fits_into_240_pixels(sample, boxes):
    cut = cut_out(sample, boxes)
    assert 1 <= min(cut.width, cut.height) <= max(cut.width, cut.height) <= 240
    assert len(cut.boxes) == len(boxes)
    assert pixels_of(cut).shape == (cut.height, cut.width)
    assert len(cut.uri) < 30_000


def test_all_boxes_are_in_the_picture(sample):
    cut = cut_out(sample, [(40, 30, 60, 50), (150, 80, 160, 90)])
    for x1, y1, x2, y2 in cut.boxes:
        assert 0 <= x1 < x2 <= cut.width
        assert 0 <= y1 < y2 <= cut.height


@pytest.mark.parametrize("box", [(300, 300, 310, 310), (20, 20, 10, 10), (50, 50, 50, 60)])
def test_without_anything_to_see_there_is_no_picture(sample, box):
    assert cut_out(sample, [box]) is None


@pytest.mark.parametrize("content", [None, b"", b"<html>", encoded(np.zeros((10, 10, 3), dtype=np.uint8), "PNG")])
def test_absent_damaged_and_wrongly_sized_pictures_are_left_out(tmp_path, content):
    path = tmp_path / "b.png"
    if content is not None:
        path.write_bytes(content)
    assert cut_out(Sample("b", path, truth()), [(0, 0, 5, 5)]) is None


def test_equal_input_gives_equal_text(sample):
    assert cut_out(sample, [(40, 30, 60, 50)]) == cut_out(sample, [(40, 30, 60, 50)])
