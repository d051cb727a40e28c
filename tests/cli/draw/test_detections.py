import numpy as np
import pytest

from googlenet_rcnn.cli.draw.class_colours import class_colour
from googlenet_rcnn.cli.draw.detections import draw_detections, drawing_factor


def found(box, label="car", score=0.97):
    return {"label": label, "score": score, "box": list(box)}


def gray(height, width):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def test_box_is_painted_in_the_colour_of_its_class_and_the_image_stays():
    image = gray(400, 600)
    image.flags.writeable = False
    picture = draw_detections(image, [found((50, 60, 450, 390))])
    assert picture.shape == image.shape
    colour = np.array(class_colour("car"))
    for y, x in ((250, 50), (250, 449), (389, 250), (60, 440)):
        assert (picture[y, x] == colour).all(), (y, x)
    assert (picture[100:350, 100:400] == 128).all()
    assert (image == 128).all()


def test_nothing_found_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw_detections(image, []), image)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 3), (60, 40), (479, 2), (480, 480)])
def test_small_images_are_enlarged_by_a_whole_factor_and_take_any_box(size):
    image = np.zeros((*size, 3), dtype=np.uint8)
    boxes = [(0, 0, size[1], size[0]), (0.2, 0.3, 0.4, 0.6)]
    factor = drawing_factor(*size)
    picture = draw_detections(image, [found(box) for box in boxes])
    assert picture.shape == (size[0] * factor, size[1] * factor, 3)
    assert 480 <= max(picture.shape) < 960 + factor


def test_the_box_of_a_small_image_lies_where_it_lay():
    picture = draw_detections(gray(60, 80), [found((20, 30, 60, 50))])
    factor = drawing_factor(60, 80)
    colour = class_colour("car")
    assert tuple(picture[40 * factor, 20 * factor]) == colour
    assert tuple(picture[50 * factor - 1, 40 * factor]) == colour
    assert (picture[40 * factor, 30 * factor : 50 * factor] == 128).all()


@pytest.mark.parametrize("size", [(60, 60), (375, 500), (3000, 4000)])
def test_letters_and_lines_keep_their_share_of_the_picture(size):
    """A label is a thirtieth to a tenth as high as the picture is long, and a line no thinner than a five-hundredth."""
    height, width = size
    box = (width // 4, height // 2, width // 2, height - height // 8)
    picture = draw_detections(gray(height, width), [found(box)])
    factor = drawing_factor(height, width)
    painted = (picture == np.array(class_colour("car"), dtype=np.uint8)).all(axis=2)
    above = painted[: box[1] * factor - 3]
    rows = np.flatnonzero(above.any(axis=1))
    assert 1 / 60 <= len(rows) / max(picture.shape) <= 1 / 10
    middle = painted[(box[1] + box[3]) // 2 * factor]
    assert 1 / 500 <= middle.sum() / 2 / max(picture.shape) <= 1 / 100


def test_best_detection_lies_on_top():
    picture = draw_detections(
        gray(500, 500), [found((50, 200, 450, 450), "dog"), found((50, 200, 450, 450), "cat", 0.5)]
    )
    assert tuple(picture[400, 50]) == class_colour("dog")


def test_the_name_of_a_class_cannot_break_the_line():
    picture = draw_detections(gray(480, 480), [found((9, 200, 400, 400), "a\nb" + "\x1b[31m")])
    plain = draw_detections(gray(480, 480), [found((9, 200, 400, 400), "cat")])
    assert picture.shape == plain.shape
