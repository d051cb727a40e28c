import pytest
from result_formats import images

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.numbering import class_ids, coco_image_ids, image_numbers


@pytest.mark.parametrize(
    ("ids", "numbers", "ilsvrc", "coco"),
    [
        ([], None, [], []),
        (["x", "y"], [40, 7], [40, 7], [40, 7]),
        (["000040", "000007"], None, [1, 2], [40, 7]),
        (["a/000040", "b/000007"], None, [1, 2], [40, 7]),
        (["000040", "40"], None, [1, 2], [1, 2]),
        (["40", "x"], None, [1, 2], [1, 2]),
        (["40", "²"], None, [1, 2], [1, 2]),
    ],
)
def test_numbers_of_images(ids, numbers, ilsvrc, coco):
    data = images(ids, numbers)
    assert image_numbers(data) == ilsvrc
    assert coco_image_ids(data) == coco


def test_numbers_of_classes():
    assert class_ids(LabelSet(("a", "b"))) == (1, 2)
    assert class_ids(LabelSet(("a", "b"), (90, 3))) == (90, 3)
