"""What a corrected copy keeps and leaves out."""

from dataclasses import replace

import pytest
from hostile import with_orientation, write
from tiny_voc import SIZE, dataset, truth

from googlenet_rcnn.core.errors import ImageError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.mending import mend_split
from googlenet_rcnn.datasets.picture import Picture, look_at

CAT, DOG = (0, (10, 10, 50, 50), False), (1, (10, 10, 50, 50), False)


# FAULTS 38: removed on request, and then only what is equal in class and corners.
def test_a_box_that_is_there_twice_is_kept_once():
    rows = [CAT, DOG, CAT, (0, (10, 10, 50, 51), False), CAT]
    mended = mend_split(dataset([truth(rows), truth([CAT])]), {})
    assert mended.duplicates == 2
    assert mended.dataset.samples[0].truth.labels.tolist() == [0, 1, 0]
    assert mended.dataset.samples[0].truth.boxes.coordinates.tolist() == [list(rows[row][1]) for row in (0, 1, 3)]
    assert (len(mended.dataset.samples[1].truth), mended.left_out) == (1, {})


# FAULTS 34: an annotation of the picture as stored is turned with it.
@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_are_turned_as_exif_turns_the_picture(tmp_path, orientation):
    path = write(tmp_path, "a.jpg", with_orientation(orientation))  # red where the annotation of the stored one says
    data = dataset([truth([(0, (0, 0, 10, 10), False)], Size(20, 40))])
    data = replace(data, samples=[replace(data.samples[0], path=path)])
    mended = mend_split(data, {path: look_at(path)})
    assert mended.turned == (orientation >= 5)
    pixels = read_image(path).pixels
    x1, y1, x2, y2 = mended.dataset.samples[0].truth.boxes.coordinates[0].astype(int).tolist()
    assert mended.dataset.samples[0].truth.size == pixels.shape[:2]
    if orientation in (1, 5, 6, 7, 8):  # others keep the size, so nobody can tell how the annotation was made
        assert (pixels[y1:y2, x1:x2, 1] < 60).all()


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
