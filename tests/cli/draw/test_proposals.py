"""What the pictures of `propose --draw` show, read back from their pixels."""

import numpy as np
import pytest
from hostile import photo

from googlenet_rcnn.cli.draw.band import Caption, with_captions
from googlenet_rcnn.cli.draw.grouping import draw_grouping, draw_segmentation, stage_counts, stage_labels
from googlenet_rcnn.cli.draw.proposal_pictures import picture_endings, png_pictures, search_in
from googlenet_rcnn.cli.draw.proposals import draw_proposals, source_colours
from googlenet_rcnn.core.types import Boxes, Proposals, Size
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union

SS, MULTIBOX = (230, 159, 0), (86, 180, 233)
SEARCH = SelectiveSearch.preset("single", superpixel_scale=2)


def proposals(*rows, size=(480, 960), names=("ss", "multibox"), sources=None):
    boxes = Boxes(np.array(rows, dtype=np.float32).reshape(-1, 4), Size(*size))
    scores = -np.arange(len(rows), dtype=np.float32)
    return Proposals(boxes, scores, np.array(sources or [0] * len(rows), dtype=np.int64), names)


def grey(size=(480, 960)):
    image = np.full((*size, 3), 128, dtype=np.uint8)
    image.flags.writeable = False
    return image


def colours(picture):
    packed = np.unique(picture.astype(np.int64) @ (1 << 16, 1 << 8, 1))
    return set(zip((packed >> 16).tolist(), (packed >> 8 & 255).tolist(), (packed & 255).tolist(), strict=True))


@pytest.fixture(scope="module")
def grouping():
    return next(SEARCH.groupings(photo(90, 120)))


def test_first_box_has_the_colour_of_its_source_and_the_image_stays_inside():
    image = grey()
    picture = draw_proposals(image, proposals((100, 50, 700, 400), sources=[1]), 30)
    assert picture.shape[1] == 960
    assert picture.shape[0] > 480  # the legend lies below, on nothing of the image
    for y, x in ((200, 102), (200, 697), (52, 300), (397, 300)):
        assert tuple(picture[y, x]) == MULTIBOX, (y, x)
    assert (picture[100:350, 150:650] == 128).all()
    assert (picture[:45, :] == 128).all()
    assert (image == 128).all()


def test_earlier_boxes_are_thicker_and_opaquer_and_on_top():
    rows = ((50, 50, 150, 150), (250, 50, 350, 150), (450, 50, 550, 150))
    picture = draw_proposals(grey(), proposals(*rows, sources=[0, 0, 0]), 30).astype(int)
    widths, strengths = [], []
    for x1 in (50, 250, 450):
        line = picture[100, x1 : x1 + 20]
        widths.append(int((line != 128).any(axis=1).sum()))
        strengths.append(int(np.abs(line - SS).sum(axis=1).min()))
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[2]
    assert strengths[0] == 0 < strengths[1] < strengths[2]
    # Of two equal boxes, each the first of its source, the earlier one, orange, is above the other, blue.
    equal = draw_proposals(grey(), proposals(rows[0], rows[0], sources=[0, 1]), 30)
    assert tuple(equal[100, 52]) == SS


def test_the_first_boxes_of_each_source_are_drawn_and_the_legend_names_every_source():
    rows = ((50, 50, 150, 150), (250, 50, 350, 150), (450, 50, 550, 150))
    picture = draw_proposals(grey(), proposals(*rows, sources=[0, 0, 1]), 1)
    assert SS in colours(picture[45:155, 45:155])
    assert (picture[45:155, 245:355] == 128).all()
    assert MULTIBOX in colours(picture[45:155, 445:555])
    assert {SS, MULTIBOX, (255, 255, 255), (34, 34, 34)} <= colours(picture[480:])
    alone = draw_proposals(grey(), proposals(*rows, sources=[0, 0, 0]), 3)
    assert MULTIBOX not in colours(alone[:480])
    assert MULTIBOX not in colours(draw_proposals(grey(), proposals(*rows, names=("ss",)), 1))


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 2000), (2000, 3), (30, 40), (700, 3000)])
def test_pictures_of_any_size_become_legible(size):
    height, width = size
    found = proposals((0, 0, width, height), (0, 0, width / 3, height / 3), size=size)
    picture = draw_proposals(photo(*size), found, 30)
    assert 960 <= max(picture.shape[:2]) <= 1800
    assert picture.shape[1] > 100
    assert SS in colours(picture)
    none = draw_proposals(photo(*size), proposals(size=size), 30)
    assert none.shape[1] > 100
    assert none.tobytes() == draw_proposals(photo(*size), proposals(size=size), 30).tobytes()


def test_colours_are_fixed_for_our_sources_and_differ_for_others():
    assert source_colours(("multibox", "ss")) == {"multibox": MULTIBOX, "ss": SS}
    names = ("ss", "opencv", "mine", "multibox", "theirs")
    assert len(set(source_colours(names).values())) == len(names)
    assert len(source_colours(tuple("abcdefgh"))) == 8


def test_captions_wrap_where_they_do_not_fit_and_carry_their_colour():
    picture = np.zeros((20, 200, 3), dtype=np.uint8)
    one = with_captions(picture, [Caption("first", SS)], 16)
    many = with_captions(picture, [Caption("a long caption", SS), Caption("another one", MULTIBOX)], 16)
    assert one.shape[1] == many.shape[1] == 200
    assert many.shape[0] - 20 == 2 * (one.shape[0] - 20)
    assert (one[:20] == 0).all()
    assert SS in colours(one[20:])
    narrow = with_captions(picture[:, :2], [Caption("wider than the picture")], 16)
    assert narrow.shape[1] > 100
    assert (narrow[:20] == 0).all(axis=2).sum() == 40


def test_stages_fall_from_all_regions_to_a_few(grouping):
    initial = len(grouping.regions.sizes)
    counts = stage_counts(grouping)
    assert counts[0] == initial
    assert counts == sorted(set(counts), reverse=True)
    assert 4 <= len(counts) <= 6
    assert counts[-1] <= max(4, initial // 8)


def test_stage_has_so_many_connected_unions_of_the_stage_before(grouping):
    initial = len(grouping.regions.sizes)
    labels = {count: stage_labels(grouping, count) for count in (initial, initial // 2, 3, 2, 1)}
    for count, found in labels.items():
        assert np.unique(found).tolist() == list(range(count))
    np.testing.assert_array_equal(labels[initial], grouping.labels)
    for finer, coarser in ((initial, initial // 2), (initial // 2, 3), (3, 2)):
        pairs = np.unique(np.stack([labels[finer].ravel(), labels[coarser].ravel()]), axis=1)
        assert pairs.shape[1] == finer  # each finer region lies in exactly one coarser
    # The boxes of two regions left are those of the last merge's parts.
    last = initial + len(grouping.merges.pairs) - 1
    boxes = np.concatenate([grouping.regions.boxes, grouping.merges.boxes])
    for region in grouping.merges.pairs[last - initial]:
        x1, y1, x2, y2 = boxes[region]
        extents = []
        for number in range(2):
            ys, xs = np.nonzero(labels[2] == number)
            extents.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
        assert (x1, y1, x2, y2) in extents


def test_segmentation_paints_each_region_in_its_mean_colour():
    image = np.zeros((100, 200, 3), dtype=np.uint8)
    image[:, :100] = (200, 40, 40)
    image[:, 100:] = (20, 60, 220)
    found = next(SEARCH.groupings(image))
    picture = draw_segmentation(image, found)
    height, width = found.labels.shape
    assert picture.shape[1] == 2 * width
    assert tuple(picture[height, width // 2]) == (200, 40, 40)
    assert tuple(picture[height, width + width // 2]) == (20, 60, 220)
    row = picture[height]
    assert ((row != (200, 40, 40)).any(axis=1) & (row != (20, 60, 220)).any(axis=1)).any()  # a border stands between
    assert (34, 34, 34) in colours(picture[2 * height :])


def test_strip_has_a_panel_for_each_stage_and_ever_fewer_colours(grouping):
    image = photo(90, 120)
    strip = draw_grouping(image, grouping)
    counts = stage_counts(grouping)
    panel = 420
    assert strip.shape[1] == len(counts) * (panel + 14) + 14
    used = []
    for number in range(len(counts)):
        left = 14 + number * (panel + 14)
        assert (strip[:, left - 14 : left] == 255).all()
        used.append(len(colours(strip[:315, left : left + panel])))
    assert used[0] > 2 * used[-1]
    assert strip.tobytes() == draw_grouping(image, grouping).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (40, 50), (2, 300), (300, 2)])
def test_flat_and_extreme_images_have_a_grouping_of_one_region(size):
    image = grey(size)
    found = next(SEARCH.groupings(image))
    assert stage_counts(found) == [1]
    assert (128, 128, 128) in colours(draw_segmentation(image, found))
    strip = draw_grouping(image, found)
    assert strip.shape[1] > 100
    assert (128, 128, 128) in colours(strip)


def test_pictures_follow_from_what_proposes():
    assert search_in(SEARCH) is SEARCH
    assert search_in(Union((Union((SEARCH,)), SEARCH))) is SEARCH
    assert search_in(Union((Union((SEARCH,)),))) is None  # what build makes is one level deep
    image = photo(40, 50)
    found = SEARCH.propose(image)
    for search in (None, SEARCH):
        pictures = png_pictures(image, found, search, 5)
        assert len(pictures) == len(picture_endings(search))
        assert all(data.startswith(b"\x89PNG") for data in pictures)
        assert pictures == png_pictures(image, found, search, 5)
