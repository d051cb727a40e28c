import base64
from io import BytesIO

import numpy as np
import pytest
from hostile import photo
from PIL import Image as PillowImage

from googlenet_rcnn.cli.exhibit import PROPOSALS_SHOWN, exhibit, page_colours, picture_uri
from googlenet_rcnn.core.types import Boxes, Detections, LabelSet, Proposals, Size


@pytest.mark.parametrize(("size", "shown"), [((60, 80), (60, 80)), ((1000, 2000), (480, 960)), ((3000, 1), (960, 1))])
def test_a_picture_is_kept_small_and_in_shape(size, shown):
    uri = picture_uri(photo(*size))
    picture = PillowImage.open(BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))
    assert picture.size == shown[::-1]


def test_boxes_are_those_of_the_image_best_first():
    size = Size(40, 50)
    found = Detections(Boxes([[1.26, 2, 30, 39.99]], size), [1], [0.123456], LabelSet(("cat", "dog")))
    many = np.array([[0, 0, 1 + place % 50, 10 + place % 30] for place in range(2 * PROPOSALS_SHOWN)])
    proposals = Proposals.from_source(Boxes(many, size), -np.arange(len(many)), "ss")
    shown = exhibit(found, proposals)
    assert shown["detections"] == [{"label": "dog", "score": 0.1235, "box": [1.3, 2.0, 30.0, 40.0]}]
    assert shown["proposals"] == many[:PROPOSALS_SHOWN].tolist()
    assert (shown["width"], shown["height"]) == (50, 40)


def test_nothing_found_is_shown_as_nothing():
    size = Size(4, 5)
    nothing = Proposals.from_source(Boxes.empty(size), np.zeros(0), "ss")
    shown = exhibit(Detections.empty(size), nothing)
    assert shown == {"width": 5, "height": 4, "detections": [], "proposals": []}


def test_colours_of_a_page_have_ink():
    assert list(page_colours(["cat", "dog"])) == ["cat", "dog"]
    assert all(len(one) == 7 and one.startswith("#") for pair in page_colours(["cat"]).values() for one in pair)
