import numpy as np
import pytest
from analysed import analysed, matched
from random_detections import random_case, table
from tiny_voc import truth

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.nearest_objects import nearest_objects


def slow(boxes, thresholds, overlaps, wanted):
    """The best object for each detection, one at a time: enough before not enough, then overlap, then order."""
    for row in range(len(boxes)):
        options = [
            (overlaps[row, k] >= thresholds[k], overlaps[row, k], -k) for k in wanted[row] if overlaps[row, k] > 0
        ]
        enough, overlap, index = max(options, default=(False, 0.0, 1))
        yield -index, overlap, enough


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(4))
def test_equal_to_looking_at_every_object(rule, seed):
    truths, rows = random_case(seed)
    matches, similar = matched(rows, truths, rule), np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    found = nearest_objects(table(rows), matches, RULES[rule], similar)
    objects, boxes = matches.objects, table(rows).boxes[matches.row]
    overlaps = intersection_over_union(boxes, objects.boxes)
    here = matches.image_index[:, None] == objects.image
    same, alike = matches.label[:, None] == objects.label, similar[matches.label][:, objects.label]
    thresholds = RULES[rule].thresholds(objects.boxes)
    masks = (here & same, here & ~same, here & alike)
    for part, mask in zip((found.own, found.other, found.similar), masks, strict=True):
        expected = list(slow(boxes, thresholds, overlaps, [np.flatnonzero(row) for row in mask]))
        assert part.index.tolist() == [index for index, _, _ in expected]
        assert part.overlap == pytest.approx([overlap for _, overlap, _ in expected])
        assert part.enough.tolist() == [enough for _, _, enough in expected]


def test_true_detections_are_nearest_to_an_object_of_their_class():
    truths, rows = random_case(9)
    for rule in RULES:
        errors = analysed(rows, truths, rule)
        true = errors.matches.true
        assert true.any()
        assert errors.nearest.own.enough[true].all()


def test_nothing_at_all_and_nothing_near():
    assert len(analysed([], []).nearest.own.index) == 0
    far = analysed(
        [(0, 0, 0.5, (100, 50, 110, 60)), (0, 0, 0.4, (30, 30, 20, 20))], [truth([(0, (0, 0, 9, 9), False)])]
    )
    assert far.nearest.own.index.tolist() == far.nearest.other.index.tolist() == [-1, -1]
    assert far.nearest.own.overlap.tolist() == [0, 0]
