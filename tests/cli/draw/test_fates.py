import numpy as np
import pytest
from tiny_voc import truth

from googlenet_rcnn.cli.draw.fates import FATE_COLOURS, draw_fates
from googlenet_rcnn.core.types import LabelSet, Size
from googlenet_rcnn.eval.fate import Fate, FateKind, ScoredBox

LABELS = LabelSet(("cat", "dog"))
SIZE = Size(480, 960)  # as large as the picture is drawn


def scored(*box, label=0):
    return ScoredBox(tuple(map(float, box)), label, 0.5, 0.4)


def drawn(objects, fates, size=SIZE):
    image = np.full((*size, 3), 128, dtype=np.uint8)
    image.flags.writeable = False
    return draw_fates(image, truth(objects, size), fates, LABELS)


def is_near(picture, y, x, colour):
    return (picture[y - 3 : y + 4, x - 3 : x + 4] == np.array(colour)).all(axis=2).any()


@pytest.mark.parametrize("kind", FateKind)
def test_object_has_a_full_line_in_the_colour_of_its_fate(kind):
    picture = drawn([(0, (100, 100, 500, 400), False)], [Fate(kind)])
    for y, x in ((399, 300), (250, 499), (250, 100), (100, 400)):
        assert is_near(picture, y, x, FATE_COLOURS[kind]), (y, x)
    assert (picture[150:350, 150:450] == 128).all()


def test_box_that_explains_is_dashed_and_the_cause_comes_before_the_best():
    fate = Fate(FateKind.OUTSCORED, scored(600, 50, 900, 200), 2, scored(600, 250, 900, 450))
    picture = drawn([(0, (100, 100, 500, 400), False)], [fate])
    colour = np.array(FATE_COLOURS[fate.kind])
    edge = (picture[248:253, 600:900] == colour).all(axis=2).any(axis=0)
    assert 0.3 < edge.mean() < 0.8
    assert (picture[40:210, 590:910] == 128).all()
    picture = drawn([(0, (100, 100, 500, 400), False)], [Fate(FateKind.SCORED_LOW, scored(600, 50, 900, 200), 2)])
    assert (picture[48:53, 600:900] == np.array(FATE_COLOURS[FateKind.SCORED_LOW])).all(axis=2).any()


def test_every_fate_is_told_below_and_numbered():
    objects = [(0, (100, 100, 300, 300), False), (1, (500, 100, 700, 300), True)]
    picture = drawn(objects, [Fate(FateKind.FOUND), Fate(FateKind.NO_PROPOSAL)])
    assert picture.shape[1:] == (960, 3)
    band = picture[480:]
    assert len(band) > 0
    for kind in (FateKind.FOUND, FateKind.NO_PROPOSAL):
        assert (band == np.array(FATE_COLOURS[kind])).all(axis=2).any()
    tag = picture[104:120, 104:120]
    assert (tag == 0).all(axis=2).any()  # the ink of the number


def test_colours_of_fates_differ_and_equal_input_gives_equal_pictures():
    assert set(FATE_COLOURS) == set(FateKind)
    assert len(set(FATE_COLOURS.values())) == len(FATE_COLOURS) - 1  # two rare ones share grey
    objects, fates = [(0, (100, 100, 500, 400), False)], [Fate(FateKind.FOUND, scored(90, 90, 510, 410))]
    assert drawn(objects, fates).tobytes() == drawn(objects, fates).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 2000)])
def test_any_size_and_no_objects(size):
    """FAULTS 18."""
    whole = (0, 0, size[1], size[0])
    assert drawn([], [], Size(*size)).shape[2] == 3
    picture = drawn([(0, whole, False)], [Fate(FateKind.FOUND, scored(*whole))], Size(*size))
    assert picture.shape[1] >= min(960, size[1])
