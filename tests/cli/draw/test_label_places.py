"""Labels keep out of each other's way and in the picture."""

import numpy as np
import pytest

from googlenet_rcnn.cli.draw.label_places import place_labels


def overlaps(places):
    for number, (ax1, ay1, ax2, ay2) in enumerate(places):
        for bx1, by1, bx2, by2 in places[:number]:
            if min(ax2, bx2) > max(ax1, bx1) and min(ay2, by2) > max(ay1, by1):
                yield number


def test_a_label_sits_on_its_box_or_inside_where_there_is_no_room():
    assert place_labels([(50, 60, 200, 200)], [(40, 10)], 300, 300) == [(50, 50, 90, 60)]
    assert place_labels([(50, 0, 200, 200)], [(40, 10)], 300, 300) == [(50, 0, 90, 10)]
    assert place_labels([(290, 60, 299, 70)], [(40, 10)], 300, 300) == [(260, 50, 300, 60)]


def test_nothing_to_place_is_no_place():
    assert place_labels([], [], 10, 10) == []


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_many_boxes_do_not_overlap(seed):
    random = np.random.default_rng(seed)
    low = random.integers(0, (300, 250), (25, 2))
    boxes = [(*corner, *(corner + random.integers(20, 180, 2))) for corner in low.tolist()]
    places = place_labels(boxes, [(60, 14)] * len(boxes), 500, 375)
    assert list(overlaps(places)) == []
    assert all(0 <= x1 < x2 <= 500 and 0 <= y1 < y2 <= 375 for x1, y1, x2, y2 in places)
    assert all((x2 - x1, y2 - y1) == (60, 14) for x1, y1, x2, y2 in places)


def test_equal_boxes_have_labels_apart_and_the_first_has_the_best_place():
    places = place_labels([(50, 100, 200, 200)] * 9, [(60, 12)] * 9, 500, 375)
    assert places[0] == (50, 88, 110, 100)
    assert list(overlaps(places)) == []


def test_where_there_is_no_room_labels_stay_at_the_edge_and_share_it():
    places = place_labels([(0, 0, 10, 10)] * 3, [(40, 20)] * 3, 10, 10)
    assert len(places) == 3
    assert all(place[:2] == (0, 0) for place in places)
