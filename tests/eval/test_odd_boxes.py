import pytest
from random_detections import table
from tiny_voc import dataset, truth

from googlenet_rcnn.eval.odd_boxes import count_odd_boxes

# Images are 200 wide and 100 high.
DATA = dataset([truth(), truth()])


@pytest.mark.parametrize(
    ("box", "outside", "inverted"),
    [
        ((0, 0, 200, 100), 0, 0),
        ((-1, 0, 20, 10), 1, 0),
        ((0, -0.5, 20, 10), 1, 0),
        ((0, 0, 201, 10), 1, 0),
        ((0, 0, 20, 100.5), 1, 0),
        ((300, 300, 310, 310), 1, 0),
        ((20, 0, 10, 10), 0, 1),
        ((10, 0, 10, 10), 0, 1),
        ((0, 10, 10, 5), 0, 1),
        ((-20, 0, -30, 10), 0, 1),
    ],
)
def test_each_row_is_at_most_one_of_both(box, outside, inverted):
    assert count_odd_boxes(table([(1, 0, 0.5, box)]), DATA) == (outside, inverted)


def test_counts_add_up_and_nothing_is_odd_without_rows_or_borders():
    rows = [(0, 0, 0.5, (-1, 0, 5, 5))] * 3 + [(0, 0, 0.5, (5, 5, 5, 5))] * 2 + [(0, 0, 0.5, (0, 0, 5, 5))]
    assert count_odd_boxes(table(rows), DATA) == (3, 2)
    assert count_odd_boxes(table([]), DATA) == count_odd_boxes(table([]), dataset([])) == (0, 0)
    assert count_odd_boxes(table([(0, 0, 0.5, (0, 0, 9999, 5))]), dataset([None])) == (0, 0)
