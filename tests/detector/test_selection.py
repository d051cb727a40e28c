"""Selection against a naive one: every pair of boxes, one class at a time."""

import math

import numpy as np
import pytest

from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.box_regression import SCALE, offsets_to
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.selection import Selection

SIZE = Size(100, 100)


def overlap(a, b) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def moved(box, offset) -> list[float]:
    """One box moved and cut to the image, in plain Python; as it was where nothing of it is left."""
    x1, y1, x2, y2 = box
    move_x, move_y, grow_x, grow_y = (float(a) * float(b) for a, b in zip(offset, SCALE, strict=True))
    x, y = (x1 + x2) / 2 + move_x * (x2 - x1), (y1 + y2) / 2 + move_y * (y2 - y1)
    half_x, half_y = (x2 - x1) * math.exp(grow_x) / 2, (y2 - y1) * math.exp(grow_y) / 2
    new = [float(np.float32(min(max(value, 0), 100))) for value in (x - half_x, y - half_y, x + half_x, y + half_y)]
    return new if new[0] < new[2] and new[1] < new[3] else box


def slow(boxes, probabilities, threshold, iou, cap, offsets=None):
    """Rows (box, label, score), best first."""
    found = []
    proposed = boxes
    for label in range(probabilities.shape[1] - 1):
        if offsets is not None:
            boxes = [moved(box, offsets[row, label]) for row, box in enumerate(proposed)]
        scores = [float(value) for value in probabilities[:, label + 1]]
        rows = [i for i in sorted(range(len(scores)), key=lambda i: -scores[i]) if scores[i] >= threshold]
        kept: list[int] = []
        for row in rows:
            if all(overlap(boxes[row], boxes[other]) <= iou for other in kept):
                kept.append(row)
        found += [(boxes[row], label, scores[row]) for row in kept[:cap]]
    return sorted(found, key=lambda item: -item[2])


def scene(seed: int, count: int = 60, classes: int = 4, levels: int = 1000):
    """Boxes on a coarse grid, so that many overlap; scores with ties where `levels` is small."""
    random = np.random.default_rng(seed)
    corner = random.integers(0, 14, (count, 2)) * 5
    boxes = np.concatenate([corner, corner + random.integers(1, 7, (count, 2)) * 5], axis=1)
    values = random.integers(0, levels, (count, 1 + classes)) / levels
    return boxes.astype(np.float32), values.astype(np.float32)


@pytest.mark.parametrize("levels", [1000, 4])
@pytest.mark.parametrize("settings", [(0.01, 0.3, 100), (0.5, 0.0, 100), (0.25, 0.7, 3), (0.0, 1.0, 1)])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_the_naive_selection(settings, levels, seed) -> None:
    boxes, probabilities = scene(seed, levels=levels)
    found = Selection(*settings).select(Boxes(boxes, SIZE), RegionScores(probabilities))
    expected = slow(boxes.tolist(), probabilities, *settings)
    assert found.boxes.coordinates.tolist() == [box for box, _, _ in expected]
    assert found.labels.tolist() == [label for _, label, _ in expected]
    assert found.scores.tolist() == [score for _, _, score in expected]


@pytest.mark.parametrize("settings", [(0.01, 0.3, 100), (0.5, 0.0, 100), (0.25, 0.7, 3), (0.0, 1.0, 1)])
@pytest.mark.parametrize("size", [1.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_boxes_are_moved_for_each_class_before_suppression(settings, size, seed) -> None:
    boxes, probabilities = scene(seed, levels=1000)
    offsets = np.random.default_rng(seed).normal(scale=size, size=(60, 4, 4)).astype(np.float32)
    found = Selection(*settings).select(Boxes(boxes, SIZE), RegionScores(probabilities, offsets))
    expected = slow(boxes.tolist(), probabilities, *settings, offsets)
    assert found.labels.tolist() == [label for _, label, _ in expected]
    assert found.scores.tolist() == [score for _, _, score in expected]
    np.testing.assert_allclose(found.boxes.coordinates, [box for box, _, _ in expected], atol=1e-4)
    # Suppression before the move would keep other boxes.
    still = Selection(*settings).select(Boxes(boxes, SIZE), RegionScores(probabilities))
    assert still.boxes.coordinates.tolist() != found.boxes.coordinates.tolist()


def test_offsets_of_nothing_change_nothing() -> None:
    boxes, probabilities = scene(5)
    boxes[:, :2] += 0.3
    still = Selection().select(Boxes(boxes, SIZE), RegionScores(probabilities))
    found = Selection().select(Boxes(boxes, SIZE), RegionScores(probabilities, np.zeros((60, 4, 4), np.float32)))
    assert found.boxes.coordinates.tobytes() == still.boxes.coordinates.tobytes()
    assert found.labels.tolist() == still.labels.tolist()
    assert found.scores.tobytes() == still.scores.tobytes()


def test_boxes_that_come_to_lie_on_one_object_are_one_detection_at_its_place() -> None:
    wanted = np.array([[30, 30, 70, 80]] * 3, np.float32)
    boxes = np.array([[20, 20, 50, 60], [50, 40, 90, 90], [40, 60, 60, 70]], np.float32)
    offsets = np.zeros((3, 2, 4), np.float32)
    offsets[:, 0] = offsets_to(wanted, boxes)
    scores = RegionScores(np.array([[0, 0.5, 0.3], [0, 0.9, 0], [0, 0.7, 0]], np.float32), offsets)
    found = Selection(score_threshold=0.2).select(Boxes(boxes, SIZE), scores)
    assert found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.boxes.coordinates, [wanted[0], boxes[0]], atol=1e-4)


def test_background_never_appears() -> None:
    boxes, probabilities = scene(2)
    probabilities[:, 0] = 1
    without = probabilities.copy()
    without[:, 0] = 0
    with_it, without_it = (Selection().select(Boxes(boxes, SIZE), RegionScores(p)) for p in (probabilities, without))
    assert with_it.scores.tobytes() == without_it.scores.tobytes()
    assert set(with_it.labels) <= {0, 1, 2, 3}


def test_a_score_on_the_threshold_counts_and_one_below_does_not() -> None:
    boxes = Boxes(np.array([[0, 0, 10, 10], [50, 50, 60, 60]]), SIZE)
    below = np.nextafter(np.float32(0.5), np.float32(0))
    found = Selection(0.5).select(boxes, RegionScores(np.array([[0.5, 0.5], [0.5, below]], np.float32)))
    assert found.scores.tolist() == [0.5]


def test_the_cap_counts_what_is_left_after_suppression() -> None:
    copies = np.array([[0, 0, 20, 20]] * 5 + [[40, 40, 60, 60], [70, 70, 90, 90]])
    probabilities = np.zeros((7, 2), np.float32)
    probabilities[:, 1] = np.linspace(0.9, 0.3, 7)
    found = Selection(max_detections=2).select(Boxes(copies, SIZE), RegionScores(probabilities))
    assert found.boxes.coordinates[:, 0].tolist() == [0, 40]


def test_the_same_box_may_be_several_things() -> None:
    found = Selection().select(
        Boxes(np.array([[0, 0, 9, 9]]), SIZE), RegionScores(np.array([[0.2, 0.3, 0.5]], np.float32))
    )
    assert found.labels.tolist() == [1, 0]


def test_ties_go_by_class_and_then_by_proposal() -> None:
    boxes = np.array([[60, 60, 80, 80], [0, 0, 20, 20], [1, 0, 21, 20]])
    found = Selection().select(Boxes(boxes, SIZE), RegionScores(np.full((3, 3), 0.5, np.float32)))
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.boxes.coordinates[:, 0].tolist() == [60, 0, 60, 0]


@pytest.mark.parametrize("count", [0, 5])
@pytest.mark.parametrize("regressing", [False, True])
def test_nothing_found_is_an_answer(count, regressing) -> None:
    boxes, _ = scene(3, count)
    offsets = np.ones((count, 2, 4), np.float32) if regressing else None
    found = Selection(0.5).select(Boxes(boxes, SIZE), RegionScores(np.full((count, 3), 0.1, np.float32), offsets))
    assert len(found) == 0
    assert found.size == SIZE


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 1])
def test_probabilities_that_are_not_finite_are_refused(value, column) -> None:
    boxes, probabilities = scene(4, 5)
    probabilities[3, column] = value
    with pytest.raises(ValueError, match="row 3"):
        Selection().select(Boxes(boxes, SIZE), RegionScores(probabilities))


@pytest.mark.parametrize("value", [np.nan, -np.inf])
@pytest.mark.parametrize("score", [0.0, 0.9])  # also where no box of the class is wanted
def test_offsets_that_are_not_finite_are_refused(value, score) -> None:
    boxes, _ = scene(4, 5)
    offsets = np.zeros((5, 1, 4), np.float32)
    offsets[2, 0, 3] = value
    with pytest.raises(ValueError, match="row 2"):
        Selection().select(Boxes(boxes, SIZE), RegionScores(np.full((5, 2), score, np.float32), offsets))


@pytest.mark.parametrize("settings", [(-0.1,), (1.1,), (0.1, -0.1), (0.1, 1.1), (0.1, 0.3, 0), (float("nan"),)])
def test_impossible_settings_are_refused(settings) -> None:
    with pytest.raises(ValueError, match="score_threshold"):
        Selection(*settings)


def voted(box, boxes, scores, least):
    """The weighted mean of one box's neighbours, in plain Python."""
    near = [(other, score) for other, score in zip(boxes, scores, strict=True) if overlap(box, other) >= least]
    near = [(other, score) for other, score in near if score >= 0.01]
    total = sum(score for _, score in near)
    return [sum(other[side] * score for other, score in near) / total for side in range(4)] if total else box


@pytest.mark.parametrize("least", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("settings", [(0.005, 0.3, 100), (0.5, 0.3, 3), (0.0, 0.6, 100)])
@pytest.mark.parametrize("regressing", [False, True])
def test_detections_lie_where_their_neighbours_vote(least, settings, regressing) -> None:
    boxes, probabilities = scene(7, count=40)
    probabilities = probabilities**4  # many below a voice
    offsets = np.random.default_rng(7).normal(size=(40, 4, 4)).astype(np.float32) if regressing else None
    scores = RegionScores(probabilities, offsets)
    still = Selection(*settings).select(Boxes(boxes, SIZE), scores)
    found = Selection(*settings, least).select(Boxes(boxes, SIZE), scores)
    assert found.labels.tolist() == still.labels.tolist()
    assert found.scores.tobytes() == still.scores.tobytes()
    for row, label in enumerate(found.labels):
        own = [
            moved(box, offsets[at, label]) if regressing else box for at, box in enumerate(boxes.astype(float).tolist())
        ]
        expected = voted(still.boxes.coordinates[row].astype(float).tolist(), own, probabilities[:, 1 + label], least)
        np.testing.assert_allclose(found.boxes.coordinates[row], expected, atol=1e-3)


@pytest.mark.parametrize("least", [0.3, 0.8])
def test_a_higher_threshold_only_takes_detections_away(least) -> None:
    boxes, probabilities = scene(8)

    def rows(threshold):
        found = Selection(threshold, 0.3, 100, least).select(Boxes(boxes, SIZE), RegionScores(probabilities))
        return list(zip(found.boxes.coordinates.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True))

    many, few = rows(0.2), rows(0.6)
    assert 0 < len(few) < len(many)
    assert few == many[: len(few)]


@pytest.mark.parametrize("least", [0.5, 1.0])
def test_without_box_regression_boxes_stay_where_they_were_proposed(least) -> None:
    boxes, probabilities = scene(9)
    offsets = np.random.default_rng(9).normal(size=(len(boxes), probabilities.shape[1] - 1, 4)).astype(np.float32)
    with_offsets, without = RegionScores(probabilities, offsets), RegionScores(probabilities)
    still, found = (
        Selection(box_voting=least, box_regression=False).select(Boxes(boxes, SIZE), scores)
        for scores in (without, with_offsets)
    )
    moved_boxes = Selection(box_voting=least).select(Boxes(boxes, SIZE), with_offsets)
    assert found.boxes.coordinates.tobytes() == still.boxes.coordinates.tobytes()
    assert (found.labels.tolist(), found.scores.tobytes()) == (still.labels.tolist(), still.scores.tobytes())
    assert found.boxes.coordinates.tobytes() != moved_boxes.boxes.coordinates.tobytes()


def test_boxes_of_other_classes_have_no_vote() -> None:
    boxes = np.array([[0, 0, 20, 20], [0, 0, 20, 24]], np.float32)
    scores = RegionScores(np.array([[0, 0.9, 0.0], [0, 0.0, 0.9]], np.float32))
    found = Selection(box_voting=0.5).select(Boxes(boxes, SIZE), scores)
    assert found.boxes.coordinates.tolist() == boxes.tolist()
