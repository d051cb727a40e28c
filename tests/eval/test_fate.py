"""Why an object was missed: cases worked out by hand, and the law that "found" is VOC's own verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_voc import SIZE, dataset, truth

from googlenet_rcnn.core.boxes import nms
from googlenet_rcnn.core.types import Boxes, Detections
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.fate import FateKind, object_fates
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match

CAT, DOG = 0, 1
OBJECT = (40, 20, 80, 60)


def select(boxes, probabilities, threshold=0.5, iou=0.3, limit=100):
    """Detections by the rule of the detector: NMS in each class, then the best of each."""
    rows = []
    for label in range(probabilities.shape[1] - 1):
        column = probabilities[:, 1 + label]
        able = np.flatnonzero(column >= threshold)
        for row in able[nms(boxes[able, label], column[able], iou)[:limit]]:
            rows.append((-column[row], label, len(rows), boxes[row, label]))
    rows.sort(key=lambda row: row[:3])
    found = np.array([row[3] for row in rows], dtype=np.float32).reshape(-1, 4)
    labels = np.array([row[1] for row in rows], dtype=np.int64)
    return Detections(Boxes(found, SIZE), labels, np.array([-row[0] for row in rows], dtype=np.float32))


def explained(objects, proposals, limit=100, scored=None):
    """Fates of objects (label, box, difficult) after proposals (box, score of cat, score of dog)."""
    boxes = np.array([box for box, _, _ in proposals], dtype=np.float32).reshape(-1, 4)
    boxes = np.repeat(boxes[:, None], 2, axis=1)
    scores = np.array([row[1:] for row in proposals], dtype=np.float32).reshape(-1, 2)
    probabilities = np.hstack([1 - scores.sum(axis=1, keepdims=True), scores])
    kept = select(boxes, probabilities, limit=limit)
    return object_fates(boxes, probabilities, kept, truth(objects), 0.5, 0.3, limit, scored)


def only(*arguments, **options):
    (fate,) = explained([(CAT, OBJECT, False)], *arguments, **options)
    return fate


def test_found():
    fate = only([((40, 20, 80, 60), 0.9, 0), ((40, 20, 80, 50), 0.95, 0)])
    assert fate.kind == FateKind.FOUND
    assert fate.best.box == (40, 20, 80, 50)
    assert fate.best.score == pytest.approx(0.95)
    assert fate.best.overlap == 0.75
    assert (fate.rank, fate.cause) == (1, None)


def test_nothing_proposed():
    fate = only([])
    assert (fate.kind, fate.best, fate.rank, fate.cause) == (FateKind.NO_PROPOSAL, None, None, None)


def test_no_proposal_near_enough_shows_the_nearest():
    fate = only([((0, 0, 10, 10), 0.9, 0), ((40, 20, 80, 39), 0.2, 0)])
    assert fate.kind == FateKind.NO_PROPOSAL
    assert fate.best.box == (40, 20, 80, 39)
    assert fate.best.overlap == pytest.approx(19 / 40)
    assert fate.rank == 2


def test_half_an_overlap_is_enough():
    assert only([((40, 20, 80, 40), 0.9, 0)]).kind == FateKind.FOUND


def test_scored_low_shows_the_best_score_among_those_near_enough():
    far = ((100, 20, 140, 60), 0.45, 0)
    fate = only([(OBJECT, 0.1, 0), ((40, 20, 80, 50), 0.3, 0), far])
    assert fate.kind == FateKind.SCORED_LOW
    assert fate.best.box == (40, 20, 80, 50)
    assert fate.best.score == pytest.approx(0.3)
    assert (fate.rank, fate.cause) == (2, None)


def test_not_scored_in_fast_mode():
    proposals = [(OBJECT, 0, 0), ((0, 0, 10, 10), 0.9, 0)]
    assert only(proposals, scored=np.array([False, True])).kind == FateKind.NOT_SCORED
    assert only(proposals, scored=np.array([True, True])).kind == FateKind.SCORED_LOW


def test_wrong_class_names_the_detection_in_its_place():
    fate = only([(OBJECT, 0.2, 0.7)])
    assert fate.kind == FateKind.WRONG_CLASS
    assert (fate.cause.label, fate.cause.overlap) == (DOG, 1)
    assert fate.cause.score == pytest.approx(0.7)
    assert fate.best.label == CAT
    assert fate.best.score == pytest.approx(0.2)


def test_another_object_in_the_same_place_is_not_a_wrong_class():
    """A person on a horse: the detection of the one did not cost the other."""
    fates = explained([(CAT, OBJECT, False), (DOG, OBJECT, False)], [(OBJECT, 0.2, 0.7)])
    assert [fate.kind for fate in fates] == [FateKind.SCORED_LOW, FateKind.FOUND]


def test_a_loose_box_outscored_the_right_one():
    fate = only([(OBJECT, 0.8, 0), ((30, 0, 90, 70), 0.9, 0)])
    assert fate.kind == FateKind.OUTSCORED
    assert fate.best.box == OBJECT
    assert fate.cause.box == (30, 0, 90, 70)
    assert fate.cause.overlap == pytest.approx(1600 / 4200)
    assert fate.rank == 2


def test_a_neighbour_suppressed_it():
    """Two cats close together: the box of the first is kept, that of the second goes."""
    first, second = (40, 20, 80, 60), (56, 20, 96, 60)
    fates = explained([(CAT, first, False), (CAT, second, False)], [(first, 0.9, 0), (second, 0.8, 0)])
    assert [fate.kind for fate in fates] == [FateKind.FOUND, FateKind.SUPPRESSED]
    assert fates[1].best.box == second
    assert fates[1].cause.box == first
    assert fates[1].cause.overlap == pytest.approx(24 / 56)


def test_every_box_is_nearer_to_a_neighbour():
    """An object that is annotated twice can be found once only."""
    fates = explained([(CAT, OBJECT, False), (CAT, OBJECT, True)], [(OBJECT, 0.9, 0)])
    assert [fate.kind for fate in fates] == [FateKind.FOUND, FateKind.NEIGHBOUR]
    assert fates[1].best.overlap == 1


def test_over_the_limit_of_detections():
    proposals = [(OBJECT, 0.8, 0), ((120, 20, 160, 60), 0.9, 0)]
    assert only(proposals, limit=1).kind == FateKind.OVER_LIMIT
    assert only(proposals, limit=2).kind == FateKind.FOUND


@pytest.mark.parametrize(("limit", "kind"), [(100, FateKind.OUTSCORED), (1, FateKind.OVER_LIMIT)])
def test_a_detection_that_box_voting_moved_away_is_still_what_stood_in_the_way(limit, kind):
    boxes = np.repeat(np.array([(30, 0, 90, 70), OBJECT], np.float32)[:, None], 2, axis=1)
    probabilities = np.array([[0.1, 0.9, 0], [0.2, 0.8, 0]], np.float32)
    moved = Detections(Boxes(np.array([(20, 0, 90, 90)], np.float32), SIZE), np.array([CAT]), np.array([0.9]))
    (fate,) = object_fates(boxes, probabilities, moved, truth([(CAT, OBJECT, False)]), 0.5, 0.3, limit)
    assert fate.kind == kind
    assert (fate.cause is None) == (kind == FateKind.OVER_LIMIT)


def test_no_objects_have_no_fates():
    assert explained([], [(OBJECT, 0.9, 0)]) == []


def test_box_regression_is_judged_by_where_the_class_moves_the_box():
    boxes = np.array([[(0, 0, 10, 10), OBJECT], [OBJECT, (0, 0, 10, 10)]], dtype=np.float32)
    probabilities = np.array([[0.1, 0.9, 0], [0.4, 0.6, 0]], dtype=np.float32)
    kept = select(boxes, probabilities)
    objects = truth([(CAT, OBJECT, False), (DOG, OBJECT, False)])
    cat, dog = object_fates(boxes, probabilities, kept, objects, 0.5, 0.3, 100)
    assert (cat.kind, cat.best.score, cat.rank) == (FateKind.FOUND, pytest.approx(0.6), 2)
    assert (dog.kind, dog.best.score) == (FateKind.SCORED_LOW, 0)


CORNERS = st.tuples(st.integers(0, 8), st.integers(0, 6), st.integers(1, 4), st.integers(1, 4)).map(
    lambda c: (c[0] * 10, c[1] * 10, (c[0] + c[2]) * 10, (c[1] + c[3]) * 10)
)
OBJECTS = st.lists(st.tuples(st.integers(0, 1), CORNERS, st.booleans()), max_size=5)
PROPOSALS = st.lists(st.tuples(CORNERS, st.integers(0, 5), st.integers(0, 5)), max_size=12)


@given(OBJECTS, PROPOSALS, st.sampled_from([1, 2, 100]))
def test_found_is_the_verdict_of_voc_and_every_fate_is_as_its_name_says(objects, proposals, limit):
    proposals = [(box, cat / 10, dog / 10) for box, cat, dog in proposals]
    # Objects that are often hit: half of the proposals lie on one.
    proposals += [(box, 0.5, 0.4) if label == CAT else (box, 0.3, 0.6) for label, box, _ in objects[::2]]
    fates = explained(objects, proposals, limit)
    boxes = np.repeat(np.array([row[0] for row in proposals], dtype=np.float32).reshape(-1, 1, 4), 2, axis=1)
    scores = np.array([row[1:] for row in proposals], dtype=np.float32).reshape(-1, 2)
    kept = select(boxes, np.hstack([1 - scores.sum(axis=1, keepdims=True), scores]), limit=limit)
    matches = match(DetectionTable.from_detections([kept]), dataset([truth(objects)]), RULES["voc10"])
    in_order = np.argsort([row[0] for row in objects], kind="stable")  # how a match counts objects
    hit = {int(in_order[chosen]) for chosen in matches.chosen if chosen >= 0}
    found = {index for index, fate in enumerate(fates) if fate.kind == FateKind.FOUND}
    assert found == hit
    assert sum(not objects[index][2] for index in found) == matches.true.sum()
    for fate in fates:
        check(fate)


def check(fate):
    """What each fate promises of the boxes that explain it."""
    enough = fate.best is not None and fate.best.overlap >= 0.5
    assert enough == (fate.kind != FateKind.NO_PROPOSAL)
    passed = {FateKind.FOUND, FateKind.OUTSCORED, FateKind.SUPPRESSED, FateKind.OVER_LIMIT}
    if fate.kind in passed:
        assert fate.best.score >= 0.5
    if fate.kind in (FateKind.SCORED_LOW, FateKind.WRONG_CLASS):
        assert fate.best.score < 0.5
    if fate.kind == FateKind.OUTSCORED:
        assert fate.cause.overlap < 0.5
    if fate.kind in (FateKind.OUTSCORED, FateKind.SUPPRESSED):
        assert fate.cause.score >= fate.best.score
        assert fate.cause.label == fate.best.label
    if fate.kind == FateKind.WRONG_CLASS:
        assert fate.cause.overlap >= 0.5
        assert fate.cause.label != fate.best.label
    assert (fate.cause is not None) == (fate.kind in (FateKind.OUTSCORED, FateKind.SUPPRESSED, FateKind.WRONG_CLASS))
