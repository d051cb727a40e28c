"""What a corrected copy keeps and leaves out."""

from dataclasses import replace

from tiny_voc import SIZE, dataset, truth

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.mending import mend_split
from googlenet_rcnn.datasets.picture import Picture

CAT, DOG = (0, (10, 10, 50, 50), False), (1, (10, 10, 50, 50), False)


# FAULTS 38: removed on request, and then only what is equal in class and corners.
def test_a_box_that_is_there_twice_is_kept_once():
    rows = [CAT, DOG, CAT, (0, (10, 10, 50, 51), False), CAT]
    mended = mend_split(dataset([truth(rows), truth([CAT])]), {})
    assert mended.duplicates == 2
    assert mended.dataset.samples[0].truth.labels.tolist() == [0, 1, 0]
    assert mended.dataset.samples[0].truth.boxes.coordinates.tolist() == [list(rows[row][1]) for row in (0, 1, 3)]
    assert (len(mended.dataset.samples[1].truth), mended.left_out) == (1, {})


def test_images_that_would_teach_nonsense_are_left_out_with_the_reason():
    data = dataset([truth([CAT])] * 4 + [None, truth()])
    samples = list(data.samples)
    samples[1] = replace(samples[1], exhaustive=False)
    looked = {
        samples[0].path: Picture(SIZE),
        samples[2].path: Picture(Size(SIZE.height, SIZE.width + 1)),
        samples[3].path: Picture(None, error=ImageError("IMG_CORRUPT", "torn")),
    }
    mended = mend_split(replace(data, samples=samples), looked)
    assert [sample.image_id for sample in mended.dataset.samples] == ["000000", "000005"]  # negatives stay
    assert mended.left_out == {
        "000001": "annotation not read whole",
        "000002": "SIZE_MISMATCH",
        "000003": "IMG_CORRUPT",
        "000004": "annotation not read whole",
    }
    assert mended.duplicates == 0
