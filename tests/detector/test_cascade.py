"""Laws of the choice: who goes on, who never does, and what tightening each setting can and cannot do."""

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_screen import random_boxes, screen_card

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.cascade import CascadeSettings

SIZE = Size(100, 100)
SETTINGS = [
    CascadeSettings(doubt=doubt, overlap=overlap, limit=limit)
    for doubt, overlap, limit in ((0.05, 0.6, 150), (0.0, 1.0, 7), (0.3, 0.4, 1000), (0.9, 0.5, 20), (0.2, 0.7, 1))
]


def screened(count, seed=0, classes=3):
    """Boxes and made-up screening probabilities, mostly background as they are in pictures."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([4.0] + [0.4] * classes, count).astype(np.float32)
    return random_boxes(count, seed, SIZE), probabilities.reshape(count, 1 + classes)


def by_hand(settings, boxes, probabilities):
    """The choice, box by box: of each class the best first, unless it overlaps one that was taken."""
    table = intersection_over_union(boxes.coordinates, boxes.coordinates)
    worth = {int(probabilities[:, 1:].max(axis=1).argmax()): float(probabilities[:, 1:].max())} if len(boxes) else {}
    for column in probabilities[:, 1:].T:
        taken: list[int] = []
        for row in sorted(range(len(boxes)), key=lambda row: -column[row]):
            if column[row] >= settings.doubt and all(table[row, other] <= settings.overlap for other in taken):
                taken.append(row)
                worth[row] = max(worth.get(row, 0.0), float(column[row]))
    return sorted(sorted(worth, key=lambda row: (-worth[row], row))[: settings.limit])


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("count", "classes"), [(80, 3), (3, 1), (1, 2), (200, 20)])
def test_survivors_are_those_chosen_by_hand(settings, count, classes) -> None:
    boxes, probabilities = screened(count, seed=count, classes=classes)
    rows = settings.choose(boxes, probabilities)
    assert rows.dtype == np.int64
    assert rows.tolist() == by_hand(settings, boxes, probabilities)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_survivors_are_rows_in_order_with_the_best_box_among_them(settings, seed) -> None:
    boxes, probabilities = screened(150, seed)
    rows = settings.choose(boxes, probabilities)
    assert (np.diff(rows) > 0).all()
    assert 1 <= len(rows) <= settings.limit
    assert 0 <= rows[0] <= rows[-1] < 150
    assert probabilities[:, 1:].max(axis=1).argmax() in rows


@pytest.mark.parametrize("seed", range(4))
def test_more_doubt_never_lets_another_box_through(seed) -> None:
    """A box below the threshold suppresses none above it, and what is left keeps its rank: a subset, limit or not."""
    boxes, probabilities = screened(200, seed)
    for limit in (5, 1000):
        wider = None
        for doubt in (0.0, 0.01, 0.05, 0.2, 0.5, 1.0):
            rows = set(CascadeSettings(doubt=doubt, overlap=0.5, limit=limit).choose(boxes, probabilities).tolist())
            assert wider is None or rows <= wider
            wider = rows


@pytest.mark.parametrize("seed", range(4))
def test_a_lower_limit_takes_only_the_least_likely_away(seed) -> None:
    boxes, probabilities = screened(200, seed)
    wider = None
    for limit in (1000, 40, 10, 3, 1):
        rows = set(CascadeSettings(doubt=0.02, overlap=0.5, limit=limit).choose(boxes, probabilities).tolist())
        assert wider is None or (rows <= wider and len(rows) == min(limit, len(wider)))
        wider = rows
    assert rows == {int(probabilities[:, 1:].max(axis=1).argmax())}


@pytest.mark.parametrize("overlap", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_out_overlaps_a_survivor_that_is_more_of_its_class(overlap, seed) -> None:
    """Lowering `overlap` can let boxes through whose rivals have gone; what always holds is this, for each class."""
    boxes, probabilities = screened(200, seed)
    settings = CascadeSettings(doubt=0.05, overlap=overlap, limit=1000)
    rows = settings.choose(boxes, probabilities)
    table = intersection_over_union(boxes.coordinates, boxes.coordinates[rows])
    for row in np.setdiff1d(np.arange(200), rows):
        for column in probabilities[:, 1:].T:
            if column[row] >= settings.doubt:
                assert table[row, column[rows] >= column[row]].max() > overlap


def test_a_lower_overlap_can_let_another_box_through() -> None:
    """Left to right each box overlaps the next: without the second, nothing stands in the way of the third."""
    boxes = Boxes(np.array([[0, 0, 60, 50], [15, 0, 75, 50], [30, 0, 90, 50]], np.float32), SIZE)
    probabilities = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]], np.float32)
    chosen = [
        CascadeSettings(doubt=0.0, overlap=overlap).choose(boxes, probabilities).tolist() for overlap in (0.7, 0.5, 0.3)
    ]
    assert chosen == [[0, 1, 2], [0, 2], [0]]


@pytest.mark.parametrize("limit", [1, 30, 1000])
def test_no_doubt_and_full_overlap_let_everything_through_up_to_the_limit(limit) -> None:
    boxes, probabilities = screened(100)
    probabilities[::7] = [1, 0, 0, 0]  # background for certain
    twice = Boxes(np.concatenate([boxes.coordinates] * 2), SIZE)  # and every box two times over
    rows = CascadeSettings(doubt=0.0, overlap=1.0, limit=limit).choose(twice, np.concatenate([probabilities] * 2))
    assert len(rows) == min(limit, 200)


def test_of_equal_boxes_the_earlier_goes_on() -> None:
    boxes = Boxes(np.tile(np.array([[10, 10, 60, 60]], np.float32), (5, 1)), SIZE)
    probabilities = np.tile(np.array([[0.4, 0.6]], np.float32), (5, 1))
    assert CascadeSettings().choose(boxes, probabilities).tolist() == [0]
    assert CascadeSettings(overlap=1.0, limit=2).choose(boxes, probabilities).tolist() == [0, 1]


def test_classes_do_not_stand_in_each_others_way() -> None:
    boxes = Boxes(np.tile(np.array([[10, 10, 60, 60]], np.float32), (3, 1)), SIZE)
    probabilities = np.array([[0.1, 0.9, 0.0], [0.2, 0.0, 0.8], [0.4, 0.3, 0.3]], np.float32)
    assert CascadeSettings(doubt=0.1).choose(boxes, probabilities).tolist() == [0, 1]


@pytest.mark.parametrize("probability", [0.0, 1e-30, 0.01])
def test_an_image_without_a_likely_box_still_has_one_crop(probability) -> None:
    boxes, _ = screened(20)
    probabilities = np.tile(np.array([[1 - probability, probability]], np.float32), (20, 1))
    assert CascadeSettings(doubt=0.5).choose(boxes, probabilities).tolist() == [0]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_no_boxes_have_no_survivors(settings) -> None:
    rows = settings.choose(Boxes.empty(SIZE), np.zeros((0, 4), np.float32))
    assert rows.tolist() == []
    assert rows.dtype == np.int64


@pytest.mark.parametrize("trust", [0.0, 0.3, 1.0])
def test_what_gets_no_crop_keeps_a_share_of_what_screening_said(trust) -> None:
    _, probabilities = screened(30)
    before = probabilities.copy()
    believed = CascadeSettings(trust=trust).unscored(probabilities)
    np.testing.assert_allclose(believed[:, 1:], trust * before[:, 1:], rtol=1e-6)
    np.testing.assert_allclose(believed.sum(axis=1), 1, atol=1e-6)
    assert believed.dtype == np.float32
    assert (probabilities == before).all()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_broken_network_does_not_pass_for_one_that_saw_nothing(broken) -> None:
    boxes, probabilities = screened(5)
    probabilities[3, 2] = broken
    with pytest.raises(ValueError, match="finite"):
        CascadeSettings().choose(boxes, probabilities)


@pytest.mark.parametrize(
    "change",
    [
        {"doubt": -0.1},
        {"doubt": 1.1},
        {"overlap": 0.0},
        {"overlap": 1.5},
        {"limit": 0},
        {"trust": -0.1},
        {"trust": 2},
        {"spacing": 0.3},
    ],
)
def test_settings_without_meaning_are_refused(change) -> None:
    with pytest.raises(ValidationError):
        CascadeSettings(**change)


def test_settings_that_a_card_lacks_are_the_defaults() -> None:
    assert CascadeSettings.of(screen_card(), "x") == CascadeSettings()


@pytest.mark.parametrize("cascade", [None, [], {"doubt": 2.0}, {"limit": 0.5}, {"spacing": 0.3}])
def test_a_card_with_settings_without_meaning_is_refused(cascade) -> None:
    card = screen_card()
    card = card.model_copy(update={"screen": card.screen | {"cascade": cascade}})
    with pytest.raises(ModelError, match="the cascade in the card of x") as caught:
        CascadeSettings.of(card, "x")
    assert caught.value.code == "MODEL_INVALID"
