import numpy as np
import pytest

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.eval.overlap_pairs import overlap_pairs


def random_boxes(generator, count):
    corner = generator.integers(0, 20, (count, 2))
    return np.concatenate([corner, corner + generator.integers(1, 15, (count, 2))], axis=1).astype(np.float64)


def scene(seed, detections=150, truths=30, cells=4):
    """Boxes and cells of detections and of truths; the last cell has no truth."""
    generator = np.random.default_rng(seed)
    truth_cell = np.sort(generator.integers(0, cells - 1, truths))
    cell = generator.integers(0, cells, detections)
    return random_boxes(generator, detections), cell, random_boxes(generator, truths), truth_cell


@pytest.mark.parametrize("block", [1, 7, 1_000_000])
@pytest.mark.parametrize("least", [1e-9, 0.2])
def test_the_pairs_are_those_of_the_whole_matrix(monkeypatch, block, least):
    monkeypatch.setattr("googlenet_rcnn.eval.overlap_pairs._BLOCK", block)
    boxes, cell, truth_boxes, truth_cell = scene(0)
    overlap = intersection_over_union(boxes, truth_boxes)
    detection, truth = np.nonzero((cell[:, None] == truth_cell) & (overlap >= least))
    found = overlap_pairs(boxes, cell, truth_boxes, truth_cell, least)
    assert found.detection.tolist() == detection.tolist()
    assert found.truth.tolist() == truth.tolist()
    assert found.overlap == pytest.approx(overlap[detection, truth])
    assert len(detection) > 20


def test_overlap_with_a_crowd_is_the_part_inside_it():
    boxes = np.array([[0, 0, 10, 10], [5, 5, 15, 15]], dtype=np.float64)
    crowd = np.array([[0, 0, 100, 10]], dtype=np.float64)
    cell, truth_cell = np.zeros(2, dtype=np.int64), np.zeros(1, dtype=np.int64)
    assert overlap_pairs(boxes, cell, crowd, truth_cell, 0.1, np.array([True])).overlap.tolist() == [1, 0.5]
    plain = overlap_pairs(boxes, cell, crowd, truth_cell, 0.01).overlap
    assert plain == pytest.approx([0.1, 50 / 1050])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("box", [(9, 9, 0, 0), (9, 0, 0, 9), (5, 5, 5, 5), (-1e300, -1e308, 1e300, 1e308)])
def test_boxes_that_nothing_can_overlap(box):
    truth_boxes, none = np.array([[0, 0, 10, 10.0]]), np.zeros(1, dtype=np.int64)
    assert not len(overlap_pairs(np.array([box], dtype=np.float64), none, truth_boxes, none, 1e-9).overlap)


def test_empty_is_ordinary():
    boxes, cell, truth_boxes, truth_cell = scene(1)
    nothing, nowhere = np.zeros((0, 4)), np.zeros(0, dtype=np.int64)
    for case in ((nothing, nowhere, truth_boxes, truth_cell), (boxes, cell, nothing, nowhere)):
        assert all(len(column) == 0 for column in overlap_pairs(*case, 0.5))
