"""Images that are not exhaustively annotated: how many of their objects are taken, and that they give nothing else."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hostile import photo
from PIL import Image
from stub_parts import FixedProposer
from tiny_voc import truth

from googlenet_rcnn.core.types import Sample, Size
from googlenet_rcnn.detector.partial_truth import limit_partial
from googlenet_rcnn.detector.sampling import WindowSampling
from googlenet_rcnn.detector.windows import WindowCache

SIZE = Size(60, 80)


def sample(name, labels, *, exhaustive=False, ignored=()):
    rows = [(label, (place, 0, place + 10, 10 + label), place in ignored) for place, label in enumerate(labels)]
    return Sample(name, Path(f"{name}.png"), truth(rows, SIZE), None, exhaustive)


SAMPLES = [
    sample("whole", [0, 0, 0, 0, 1], exhaustive=True),
    *(sample(f"many{number}", [0, 0, 1]) for number in range(8)),
    sample("rare", [2]),
    sample("empty", []),
    sample("ignored", [3, 3], ignored=(0, 1)),
    Sample("unknown", Path("x"), None),
]


def counted(samples):
    return Counter(label for one in samples if not one.exhaustive and one.truth for label in one.truth.labels.tolist())


@pytest.mark.parametrize("most", [1, 3, 8, 16, 1000])
def test_of_each_class_at_most_so_many_are_kept(most) -> None:
    kept = limit_partial(SAMPLES, most, 0)
    assert counted(kept) == {0: min(most, 16), 1: min(most, 8), 2: 1}
    assert all(len(one.truth) for one in kept if not one.exhaustive and one.truth is not None)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_is_as_it_was_and_in_order(seed) -> None:
    kept = limit_partial(SAMPLES, 3, seed)
    names = [one.image_id for one in SAMPLES]
    places = [names.index(one.image_id) for one in kept]
    assert places == sorted(places)
    assert {"whole", "rare", "unknown"} <= {one.image_id for one in kept}
    for one in kept:
        before = SAMPLES[names.index(one.image_id)]
        if one.truth is None or one.exhaustive:
            assert one is before
            continue
        rows = [before.truth.boxes.coordinates.tolist().index(box) for box in one.truth.boxes.coordinates.tolist()]
        assert rows == sorted(rows)
        assert one.truth.labels.tolist() == before.truth.labels[rows].tolist()
        assert (one.path, one.number, one.exhaustive) == (before.path, before.number, before.exhaustive)


def test_the_seed_draws_and_every_object_can_be_drawn() -> None:
    def chosen(seed):
        kept = limit_partial(SAMPLES, 3, seed)
        return tuple(tuple(box) for one in kept if one.truth for box in one.truth.boxes.coordinates.tolist())

    assert chosen(1) == chosen(1)
    assert len({chosen(seed) for seed in range(10)}) > 1
    times = Counter(one.image_id for seed in range(300) for one in limit_partial(SAMPLES, 1, seed))
    shares = np.array([times[f"many{number}"] for number in range(8)]) / 300  # 2 of 16 and 1 of 8: 1 - 7/8 * 7/8
    assert np.abs(shares - 0.234).max() < 0.1


def test_without_such_images_nothing_changes() -> None:
    whole = [replace(one, exhaustive=True) for one in SAMPLES if one.truth is not None]
    assert limit_partial(whole, 1, 0) == whole
    assert limit_partial([], 1, 0) == []


def test_their_windows_are_their_objects_and_no_background(tmp_path) -> None:
    Image.fromarray(photo(*SIZE)).save(tmp_path / "0.png")
    proposer = FixedProposer(((5, 10, 44, 50), (0, 0, 20, 20), (50, 0, 70, 30)))
    boxes = [(1, (5, 10, 45, 50), False), (0, (0, 0, 10, 10), False), (0, (40, 0, 80, 20), True)]
    whole = Sample("a/0", tmp_path / "0.png", truth(boxes, SIZE))
    cache = WindowCache(tmp_path / "cache", proposer, WindowSampling(), 7)
    (before,) = cache.build([whole])
    assert len(before.windows.labels) > 2
    part = replace(whole, exhaustive=False)
    for _ in range(2):  # drawn, and read again
        (image,) = cache.build([part])
        assert image.windows.labels.tolist() == [2, 1]
        assert image.windows.overlaps.tolist() == [1, 1]
        assert image.windows.boxes.coordinates.tolist() == [[5, 10, 45, 50], [0, 0, 10, 10]]
        assert image.digest != before.digest
    (again,) = cache.build([whole])  # the same file name, other windows
    assert np.array_equal(again.windows.boxes.coordinates, before.windows.boxes.coordinates)


def test_the_proposer_is_not_asked(tmp_path) -> None:
    Image.fromarray(photo(*SIZE)).save(tmp_path / "0.png")
    part = Sample("0", tmp_path / "0.png", truth([(0, (0, 0, 10, 10), False)], SIZE), None, False)
    (image,) = WindowCache(tmp_path / "cache", None, WindowSampling(), 0).build([part])
    assert len(image.windows.labels) == 1
