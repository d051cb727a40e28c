"""The numbers of a split, against those counted by hand."""

import numpy as np
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.class_folders import LabelledImages
from googlenet_rcnn.datasets.picture import Picture
from googlenet_rcnn.datasets.summary import ClassCount, summarise

CAT, DOG = (0, (10, 10, 50, 30), False), (1, (20, 10, 40, 90), False)


def test_counts_by_hand():
    data = dataset([truth([CAT, CAT, DOG]), truth(), truth([(0, (0, 0, 9, 9), True)], Size(50, 40)), None])
    found = summarise(data, {})
    assert (found.images, found.annotated, found.negatives, found.objects, found.ignored) == (4, 3, 1, 3, 1)
    assert found.classes == (ClassCount("cat", 2, 1, 1), ClassCount("dog", 1, 0, 1))
    assert found.width == {"least": 40, "quarter": 120, "median": 200, "three_quarters": 200, "most": 200}
    assert (found.height["least"], found.height["most"]) == (50, 100)
    assert found.box_side == {
        "least": 28.284, "quarter": 28.284, "median": 28.284, "three_quarters": 34.142, "most": 40.0
    }  # fmt: skip
    assert (found.box_aspect["least"], found.box_aspect["most"]) == (0.25, 2.0)
    assert found.boxes_per_image == {"least": 0, "quarter": 0, "median": 0, "three_quarters": 1.5, "most": 3}


def test_nothing_has_no_quantiles():
    for data in (dataset([]), dataset([None])):
        found = summarise(data, {})
        assert (found.objects, found.width, found.box_side, found.boxes_per_image) == (0, {}, {}, {})
        assert [row.objects for row in found.classes] == [0, 0]


def test_class_folders_have_images_and_no_boxes():
    data = dataset([None, None, None])
    labelled = LabelledImages(data.labels, data.samples, image_labels=np.array([1, 1, 0]))
    looked = {data.samples[0].path: Picture(Size(30, 40)), data.samples[1].path: Picture(None)}
    assert summarise(labelled, looked).width["most"] == 40
    assert [(row.name, row.objects, row.images) for row in summarise(labelled, {}).classes] == [
        ("cat", 0, 1),
        ("dog", 0, 2),
    ]
