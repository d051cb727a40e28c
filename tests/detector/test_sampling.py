"""Which windows train, against R-CNN's rule stated row by row."""

import numpy as np
import pytest
from tiny_voc import SIZE, truth

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.types import Boxes, Proposals
from googlenet_rcnn.detector.sampling import WindowSampling, sample_windows

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


def expected_label(box, truths, sampling) -> int | None:
    """1 + class, 0 for background, None for a window that is left out."""
    overlaps = [
        float(intersection_over_union(np.array([box], np.float32), np.array([b], np.float32))[0, 0])
        for _, b, _ in truths
    ]
    if not overlaps:
        return 0
    best = overlaps.index(max(overlaps))
    label, _, difficult = truths[best]
    if difficult and max(overlaps) >= sampling.hard_overlap:
        return None
    return label + 1 if max(overlaps) >= sampling.positive_overlap else 0


@pytest.mark.parametrize("difficult", [False, True])
@pytest.mark.parametrize("overlap", [0.5, 0.3])
def test_labels_follow_the_best_overlap(overlap, difficult) -> None:
    sampling = ALL.model_copy(update={"positive_overlap": overlap})
    truths = [(0, CAT, False), (1, DOG, difficult), (1, (40, 20, 90, 70), False)]
    rows = many()
    windows = draw(rows, truths, sampling)
    labels = {tuple(map(float, row)): expected_label(row, truths, sampling) for row in rows}
    objects = 3 - difficult
    assert len(windows.labels) == objects + sum(expected_label(row, truths, sampling) is not None for row in rows)
    for box, label in zip(windows.boxes.coordinates[objects:], windows.labels[objects:], strict=True):
        assert labels[tuple(box.tolist())] == label


def test_objects_come_first_and_difficult_ones_do_not_come() -> None:
    windows = draw([], [(1, DOG, False), (0, CAT, True), (0, CAT, False)])
    assert windows.boxes.coordinates.tolist() == [list(DOG), list(CAT)]
    assert windows.labels.tolist() == [2, 1]
    assert windows.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("box", "label"),
    [
        ((20, 20, 60, 40), 1),  # exactly half of the cat
        ((20, 20, 60, 39), 0),
        ((20, 20, 60, 60), 1),
        ((0, 0, 10, 10), 0),
    ],
)
def test_the_threshold_itself_is_positive(box, label) -> None:
    assert draw([box], [(0, CAT, False)]).labels.tolist() == [1, label]


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
    assert windows.labels.tolist() == [1] + [0] * 8


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
    assert (len(windows.boxes), len(windows.labels), len(windows.mirrored)) == (0, 0, 0)
    assert windows.boxes.size == SIZE


def test_an_image_without_objects_gives_background() -> None:
    windows = draw(many(), [], WindowSampling(positives=5, hard=4, background=4))
    assert windows.labels.tolist() == [0] * 8
