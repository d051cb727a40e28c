"""Which windows train, against R-CNN's rule stated row by row; which object each touches, against loops."""

from fractions import Fraction

import numpy as np
import pytest
from tiny_voc import SIZE, truth

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.types import Boxes, Proposals
from googlenet_rcnn.detector.sampling import WindowSampling, nearest_objects, sample_windows

CAT, DOG = (20, 20, 60, 60), (120, 30, 180, 90)
ALL = WindowSampling(positives=10_000, hard=10_000, background=10_000)


def proposals(rows) -> Proposals:
    boxes = np.array(rows, dtype=np.float32).reshape(-1, 4)
    return Proposals.from_source(Boxes(boxes, SIZE), np.zeros(len(boxes)), "made up")


def many(seed: int = 0, count: int = 300) -> list[list[int]]:
    random = np.random.default_rng(seed)
    corner = np.stack([random.integers(0, 150, count), random.integers(0, 60, count)], axis=1)
    return np.concatenate([corner, corner + random.integers(10, 41, (count, 2))], axis=1).tolist()


def draw(rows, truths, sampling=ALL, seed=0):
    return sample_windows(proposals(rows), truth(truths), sampling, np.random.default_rng(seed))


def expected(box, truths, sampling) -> tuple[int, float, list[float]] | None:
    """1 + class of the object it overlaps most (0: none), that overlap and its box; None for one that is left out."""
    overlaps = [
        float(intersection_over_union(np.array([box], np.float32), np.array([b], np.float32))[0, 0])
        for _, b, _ in truths
    ]
    if not any(overlaps):
        return 0, 0.0, [*box]
    best = overlaps.index(max(overlaps))
    label, nearest, difficult = truths[best]
    if difficult and max(overlaps) >= sampling.hard_overlap:
        return None
    return 0 if difficult else label + 1, max(overlaps), [*nearest]


@pytest.mark.parametrize("difficult", [False, True])
@pytest.mark.parametrize("overlap", [0.5, 0.3])
def test_labels_and_overlaps_are_those_of_the_best_object(overlap, difficult) -> None:
    sampling = ALL.model_copy(update={"positive_overlap": overlap})
    truths = [(0, CAT, False), (1, DOG, difficult), (1, (40, 20, 90, 70), False)]
    rows = many()
    windows = draw(rows, truths, sampling)
    answers = {tuple(map(float, row)): expected(row, truths, sampling) for row in rows}
    objects = 3 - difficult
    assert len(windows.labels) == objects + sum(expected(row, truths, sampling) is not None for row in rows)
    assert {0 < best < overlap for _, best, _ in filter(None, answers.values())} == {False, True}
    columns = (windows.boxes.coordinates, windows.labels, windows.overlaps, windows.objects)
    for box, *got, nearest in zip(*(column[objects:] for column in columns), strict=True):
        label, best, wanted = answers[tuple(box.tolist())]
        assert got == [label, pytest.approx(best, abs=1e-6)]
        assert nearest.tolist() == wanted


def test_objects_come_first_and_difficult_ones_do_not_come() -> None:
    windows = draw([], [(1, DOG, False), (0, CAT, True), (0, CAT, False)])
    assert windows.boxes.coordinates.tolist() == [list(DOG), list(CAT)]
    assert windows.labels.tolist() == [2, 1]
    assert windows.overlaps.tolist() == [1, 1]
    assert windows.objects.tolist() == [list(DOG), list(CAT)]
    assert [column.dtype for column in windows[1:4]] == [np.int64, np.float64, np.float32]


@pytest.mark.parametrize(
    ("box", "label", "overlap", "positive"),
    [
        ((20, 20, 60, 40), 1, 1 / 2, True),  # exactly half of the cat
        ((20, 20, 60, 39), 1, 19 / 40, False),
        ((20, 20, 60, 60), 1, 1, True),
        ((0, 0, 20, 20), 0, 0, False),  # only a corner in common
    ],
)
def test_the_threshold_itself_is_positive(box, label, overlap, positive) -> None:
    windows = draw([box], [(0, CAT, False)])
    assert windows.labels.tolist() == [1, label]
    assert windows.overlaps.tolist() == [1, pytest.approx(overlap)]
    only_positives = WindowSampling(positives=1, hard=0, background=0)
    assert len(draw([box], [(0, CAT, False)], only_positives).labels) == 1 + positive
    no_positives = WindowSampling(positives=0, hard=1, background=1)
    assert len(draw([box], [(0, CAT, False)], no_positives).labels) == 2 - positive


@pytest.mark.parametrize("counts", [(5, 4, 4), (0, 0, 0), (2, 0, 7), (1000, 1, 1)])
def test_counts(counts) -> None:
    positives, hard, background = counts
    sampling = WindowSampling(positives=positives, hard=hard, background=background)
    rows, truths = many(1, 600), [(0, CAT, False), (1, DOG, False)]
    best = intersection_over_union(np.array(rows, np.float32), np.array([CAT, DOG], np.float32)).max(axis=1)
    available = [(best >= 0.5).sum(), ((best >= 0.1) & (best < 0.5)).sum(), (best < 0.1).sum()]
    windows = draw(rows, truths, sampling)
    drawn = windows.boxes.coordinates[2:]
    got = intersection_over_union(drawn, np.array([CAT, DOG], np.float32)).max(axis=1)
    hard_drawn = min(hard, available[1])
    assert (got >= 0.5).sum() == min(positives, available[0])
    assert ((got >= 0.1) & (got < 0.5)).sum() == hard_drawn
    assert (got < 0.1).sum() == min(background + hard - hard_drawn, available[2])


def test_an_image_without_hard_windows_gives_easy_ones_instead() -> None:
    easy = [[100 + i, 0, 120 + i, 15] for i in range(20)]
    windows = draw(easy, [(0, CAT, False)], WindowSampling(positives=5, hard=4, background=4))
    assert windows.labels.tolist() == windows.overlaps.tolist() == [1] + [0] * 8


def test_no_window_is_drawn_twice() -> None:
    rows = [[i, 0, i + 20, 30] for i in range(100)]
    windows = draw(rows, [], WindowSampling(hard=0, background=50))
    assert len(np.unique(windows.boxes.coordinates, axis=0)) == 50


def test_every_window_is_equally_likely() -> None:
    rows = [[10 * i, 70, 10 * i + 10, 90] for i in range(20)]
    sampling = WindowSampling(hard=0, background=5, mirror=0.25)
    times, mirrored = np.zeros(20), 0
    for seed in range(400):
        windows = draw(rows, [], sampling, seed)
        times[(windows.boxes.coordinates[:, 0] / 10).astype(int)] += 1
        mirrored += int(windows.mirrored.sum())
    assert np.abs(times / 400 - 0.25).max() < 0.1
    assert abs(mirrored / 2000 - 0.25) < 0.05


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_mirror_of_none_or_all(mirror) -> None:
    windows = draw(many(), [(0, CAT, False)], ALL.model_copy(update={"mirror": mirror}))
    assert (windows.mirrored == bool(mirror)).all()


def test_the_generator_decides() -> None:
    truths, sampling = [(0, CAT, False)], WindowSampling()
    first, again, other = (draw(many(), truths, sampling, seed) for seed in (3, 3, 4))
    for a, b in zip((first.boxes.coordinates, *first[1:]), (again.boxes.coordinates, *again[1:]), strict=True):
        assert a.tobytes() == b.tobytes()
    assert first.boxes.coordinates.tobytes() != other.boxes.coordinates.tobytes()


@pytest.mark.parametrize("truths", [[], [(0, CAT, True)]])
def test_nothing_proposed_and_nothing_to_learn(truths) -> None:
    windows = draw([], truths)
    assert [len(values) for values in windows] == [0] * 5
    assert [values.dtype for values in windows[1:]] == [np.int64, np.float64, np.float32, np.bool_]
    assert windows.objects.shape == (0, 4)
    assert windows.boxes.size == SIZE


def test_an_image_without_objects_gives_background() -> None:
    windows = draw(many(), [], WindowSampling(positives=5, hard=4, background=4))
    assert windows.labels.tolist() == windows.overlaps.tolist() == [0] * 8
    assert np.array_equal(windows.objects, windows.boxes.coordinates)  # nowhere to move to


def by_loops(box, truths) -> tuple[int, Fraction, int]:
    """1 + label (0: difficult) of the object of greatest overlap, the first of equals, that overlap, its row or -1."""
    label, most, row = 0, Fraction(0), -1
    for index, (candidate, other, difficult) in enumerate(truths):
        width = min(box[2], other[2]) - max(box[0], other[0])
        height = min(box[3], other[3]) - max(box[1], other[1])
        shared = max(width, 0) * max(height, 0)
        areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (box, other)]
        overlap = Fraction(shared, sum(areas) - shared)
        if overlap > most:
            label, most, row = 0 if difficult else candidate + 1, overlap, index
    return label, most, row


def coarse(seed: int, count: int) -> list[list[int]]:
    """Boxes on so coarse a grid that equal overlaps are frequent."""
    random = np.random.default_rng(seed)
    corner = random.integers(0, 8, (count, 2)) * 10
    return np.concatenate([corner, corner + random.integers(1, 3, (count, 2)) * 10], axis=1).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_nearest_objects_equal_loops_over_exact_fractions(seed) -> None:
    random, boxes = np.random.default_rng(seed), coarse(seed, 200)
    truths = [(int(random.integers(5)), box, bool(random.random() < 0.3)) for box in coarse(seed + 100, 12)]
    near = nearest_objects(np.array(boxes, np.float32), truth(truths))
    answers = [by_loops(box, truths) for box in boxes]
    assert near.labels.tolist() == [label for label, _, _ in answers]
    assert near.overlaps.tolist() == pytest.approx([float(overlap) for _, overlap, _ in answers], abs=1e-12)
    touching = [index for index, answer in enumerate(answers) if answer[2] >= 0]
    nearest = [truths[answer[2]][1] if answer[2] >= 0 else box for box, answer in zip(boxes, answers, strict=True)]
    assert near.objects.tolist() == nearest
    assert near.ignored[touching].tolist() == [truths[answers[index][2]][2] for index in touching]
    assert (near.labels.dtype, near.overlaps.dtype, near.ignored.dtype) == (np.int64, np.float64, np.bool_)
    # The scene holds what it is to test: boxes that touch nothing, and ties that a last one would win otherwise.
    backward = [by_loops(box, truths[::-1]) for box in boxes]
    assert len(touching) < len(boxes)
    assert any(one[0] != other[0] for one, other in zip(answers, backward, strict=True))


@pytest.mark.parametrize("rows", [[(3, CAT, False), (1, CAT, True)], [(1, CAT, True), (3, CAT, False)]])
def test_of_equal_overlaps_the_first_object_is_nearest(rows) -> None:
    near = nearest_objects(np.array([CAT, (20, 20, 60, 40)], np.float32), truth(rows))
    label, _, ignored = rows[0]
    assert near.labels.tolist() == [0 if ignored else label + 1] * 2
    assert near.overlaps.tolist() == [1, 0.5]
    assert near.ignored.tolist() == [ignored] * 2


@pytest.mark.parametrize("truths", [[], [(0, CAT, False)]])
@pytest.mark.parametrize("boxes", [[], [DOG, (0, 0, 20, 20)]])
def test_boxes_that_touch_no_object_and_no_boxes(boxes, truths) -> None:
    near = nearest_objects(np.array(boxes, np.float32).reshape(-1, 4), truth(truths))
    assert near.labels.tolist() == near.overlaps.tolist() == near.ignored.tolist() == [0] * len(boxes)
    assert near.objects.tolist() == [list(box) for box in boxes]
    assert (near.labels.dtype, near.overlaps.dtype, near.ignored.dtype) == (np.int64, np.float64, np.bool_)
