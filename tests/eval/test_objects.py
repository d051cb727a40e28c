from dataclasses import replace

import pytest
from tiny_voc import dataset, truth

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.eval.objects import collect_objects, excluded_cells

BOX, FAR, WIDE = (10, 10, 20, 20), (60, 60, 70, 70), (0, 0, 40, 5)


def test_objects_go_by_image_and_label_and_then_as_listed():
    objects = collect_objects(dataset([truth(), truth([(1, BOX, False), (0, FAR, True), (1, WIDE, False)]), truth()]))
    assert objects.image.tolist() == [1, 1, 1]
    assert objects.label.tolist() == [0, 1, 1]
    assert objects.boxes.tolist() == [list(FAR), list(BOX), list(WIDE)]
    assert objects.counts.tolist() == [False, True, True]


def test_area_is_the_annotated_one_where_there_is_one():
    stated = replace(truth([(1, BOX, False), (0, BOX, False)]), areas=[7, 8])
    objects = collect_objects(dataset([truth([(0, WIDE, False)]), stated]))
    assert objects.area.tolist() == [200, 8, 7]


def test_excluded_pairs_do_not_count():
    truths = [truth([(0, BOX, False), (1, BOX, False)]), truth([(0, BOX, False)])]
    data = replace(dataset(truths), excluded=[(0, 1)])
    assert excluded_cells(data).tolist() == [1]
    assert collect_objects(data).counts.tolist() == [True, False, True]


def test_empty_is_ordinary_and_missing_truth_is_not():
    for truths in ([], [truth()]):
        objects = collect_objects(dataset(truths))
        assert len(objects) == len(objects.boxes) == len(objects.area) == 0
    with pytest.raises(DataError, match="000001"):
        collect_objects(dataset([truth(), None]))
