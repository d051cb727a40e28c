import numpy as np
import pytest

from googlenet_rcnn.cli.draw import class_colour, draw_detections
from googlenet_rcnn.datasets.label_list import load_labels


def found(box, label="car", score=0.97):
    return {"label": label, "score": score, "box": list(box)}


def test_box_is_painted_in_the_colour_of_its_class_and_the_image_stays():
    image = np.full((200, 300, 3), 128, dtype=np.uint8)
    image.flags.writeable = False
    picture = draw_detections(image, [found((50, 60, 250, 190))])
    assert picture.shape == image.shape
    colour = np.array(class_colour("car"))
    for y, x in ((150, 50), (150, 249), (189, 150), (60, 240)):
        assert (picture[y, x] == colour).all(), (y, x)
    assert (picture[100:150, 100:200] == 128).all()
    assert (image == 128).all()


def test_nothing_found_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw_detections(image, []), image)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_tiny_images_take_any_box(size):
    image = np.zeros((*size, 3), dtype=np.uint8)
    boxes = [(0, 0, size[1], size[0]), (0.2, 0.3, 0.4, 0.6)]
    assert draw_detections(image, [found(box) for box in boxes]).shape == image.shape


def test_best_detection_lies_on_top():
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    picture = draw_detections(image, [found((10, 40, 90, 90), "dog"), found((10, 40, 90, 90), "cat", 0.5)])
    assert tuple(picture[80, 10]) == class_colour("dog")


def test_colour_is_that_of_the_name_and_differs_between_classes():
    names = load_labels("voc20").names
    colours = [class_colour(name) for name in names]
    assert colours == [class_colour(name) for name in names]
    assert len(set(colours)) == len(names)
