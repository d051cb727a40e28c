import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_voc import SIZE, dataset, truth

from googlenet_rcnn.core.boxes import intersection_over_union
from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Boxes, LabelSet, Proposals, Size
from googlenet_rcnn.eval.proposal_recall import THRESHOLDS, proposal_recall
from googlenet_rcnn.eval.proposal_report import FIRST, proposal_metrics

LABELS = ("cat", "dog", "cow")


def proposals(boxes, sources=None, names=("ss", "multibox"), size=SIZE):
    count = len(boxes)
    sources = np.zeros(count, dtype=np.int64) if sources is None else np.array(sources, dtype=np.int64)
    coordinates = Boxes(np.array(boxes, dtype=np.float32).reshape(-1, 4), size)
    return Proposals(coordinates, np.linspace(1, 0, count), sources, names)


def brute_force(truths, found, threshold, first, source=None):
    """Recall as the words define it: each object counts once, looked for among the first boxes one by one."""
    objects = hits = 0
    for place, one in enumerate(truths):
        given = found.get(f"{place:06d}")
        boxes = [] if given is None else given.boxes.coordinates
        if source is not None and given is not None:
            boxes = [box for box, own in zip(boxes, given.sources, strict=True) if given.source_names[own] == source]
        for thing, ignored in zip(one.boxes.coordinates, one.ignore, strict=True):
            if ignored:
                continue
            objects += 1
            hits += any(iou(thing, box) >= threshold for box in boxes[:first])
    return hits / objects if objects else None


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = float(width) * float(height)
    return shared / (float(a[2] - a[0]) * float(a[3] - a[1]) + float(b[2] - b[0]) * float(b[3] - b[1]) - shared)


@st.composite
def boxes(draw):
    # Few and coarse coordinates: overlaps of exactly 0.5, and equal boxes, come up often.
    x, y = draw(st.integers(0, 5)), draw(st.integers(0, 3))
    return [10 * x, 10 * y, 10 * (x + draw(st.integers(1, 6))), 10 * (y + draw(st.integers(1, 6)))]


@st.composite
def cases(draw):
    truths, found = [], {}
    for place in range(draw(st.integers(0, 4))):
        rows = draw(st.lists(st.tuples(st.integers(0, 2), boxes(), st.booleans()), max_size=4))
        truths.append(truth(rows))
        if draw(st.booleans()):
            given_boxes = draw(st.lists(boxes(), max_size=15))
            sources = [draw(st.integers(0, 1)) for _ in given_boxes]
            found[f"{place:06d}"] = proposals(given_boxes, sources)
    return truths, found


@given(cases())
def test_recall_and_overlaps_are_those_of_the_definition(case):
    truths, found = case
    measured = proposal_recall(dataset(truths, LABELS), found)
    content = proposal_metrics(measured, LabelSet(LABELS))
    assert content["images"] == len(truths)
    assert content["missing"] == len(truths) - len(found)
    for part, figures, source in [
        (measured.union, content, None),
        *((measured.sources[name], content["per_source"][name], name) for name in content["per_source"]),
    ]:
        for row, threshold in enumerate(THRESHOLDS):
            expected = brute_force(truths, found, threshold, None, source)
            assert figures["recall"][str(threshold)] == (None if expected is None else pytest.approx(expected))
            for first in (1, 2, 10):
                expected = brute_force(truths, found, threshold, first, source)
                assert part.recall(first)[row] == pytest.approx(np.nan if expected is None else expected, nan_ok=True)
        best = [[], [], []]
        for place, one in enumerate(truths):
            given_boxes = found[f"{place:06d}"] if f"{place:06d}" in found else proposals([])
            for thing, label, ignored in zip(one.boxes.coordinates, one.labels, one.ignore, strict=True):
                if not ignored:
                    own = [
                        iou(thing, box)
                        for box, tag in zip(given_boxes.boxes.coordinates, given_boxes.sources, strict=True)
                        if source in (None, given_boxes.source_names[tag])
                    ]
                    best[label].append(max(own, default=0.0))
        means = [sum(one) / len(one) if one else None for one in best]
        assert list(figures["abo"].values()) == [None if one is None else pytest.approx(one) for one in means]
        known = [one for one in means if one is not None]
        assert figures["mabo"] == (pytest.approx(sum(known) / len(known)) if known else None)


@given(cases())
def test_laws(case):
    truths, found = case
    measured = proposal_recall(dataset(truths, LABELS), found)
    union = measured.union
    if not len(union):
        assert np.isnan(union.recall()).all()
        return
    by_first = np.array([union.recall(first) for first in (0, 1, 2, 5, *FIRST)])
    assert (by_first[0] == 0).all()
    assert (np.diff(by_first, axis=0) >= 0).all(), "recall rises with the number of boxes"
    assert (np.diff(by_first, axis=1) <= 0).all(), "recall falls with the overlap"
    for part in measured.sources.values():
        assert (part.best <= union.best).all()
        assert (part.recall() <= union.recall()).all()
    counts = sum((part.counts for part in measured.sources.values()), start=np.zeros(len(truths), dtype=np.int64))
    assert counts.tolist() == union.counts.tolist()
    covered = np.max([part.recall() for part in measured.sources.values()], axis=0, initial=0)
    assert (covered <= union.recall()).all()
    for row, threshold in enumerate(THRESHOLDS):
        assert union.best.mean() >= union.recall()[row] * threshold - 1e-12
    assert union.average_recall() == pytest.approx(union.recall().mean())


def test_worked_out_by_hand():
    """One cat met by the third box (0.5), one dog by the first (1.0), a difficult cow by none."""
    truths = [
        truth([(0, (0, 0, 10, 10), False), (2, (50, 50, 90, 90), True)]),
        truth([(1, (100, 0, 164, 64), False)]),
    ]
    found = {
        "000000": proposals([(60, 60, 61, 61), (0, 0, 4, 10), (0, 0, 10, 5)], [0, 0, 1]),
        "000001": proposals([(100, 0, 164, 64)], [1]),
    }
    content = proposal_metrics(proposal_recall(dataset(truths, LABELS), found), LabelSet(LABELS))
    assert (content["images"], content["objects"], content["boxes_per_image"]) == (2, 2, 2)
    assert content["recall"] == {"0.5": 1} | {str(threshold): 0.5 for threshold in THRESHOLDS[1:]}
    assert content["abo"] == {"cat": 0.5, "dog": 1, "cow": None}
    assert content["mabo"] == 0.75
    assert content["average_recall"] == pytest.approx(0.55)
    assert content["recall_at"]["10"] == {"0.5": 1, "0.7": 0.5}
    assert list(content["recall_at"]) == ["10", "20", "50", "100", "200", "500", "1000", "1500", "2000", "all"]
    assert list(content["average_recall_at"]) == ["10", "100", "200", "1000", "all"]
    sizes = content["by_size"]
    assert {name: one["objects"] for name, one in sizes.items()} == {"<32": 1, "32-60": 0, "60-96": 1, "96+": 0}
    assert (sizes["<32"]["best_overlap"], sizes["60-96"]["recall"]["0.95"]) == (0.5, 1)
    assert sizes["96+"]["recall"]["0.5"] is None
    alone = content["per_source"]
    assert alone["ss"]["abo"] == {"cat": 0.4, "dog": 0, "cow": None}
    assert (alone["ss"]["boxes_per_image"], alone["multibox"]["boxes_per_image"]) == (1, 1)
    assert alone["multibox"]["recall_at"]["10"]["0.5"] == 1


@pytest.mark.parametrize("side", [32, 60, 96])
def test_limits_of_sizes_belong_to_the_greater(side):
    truths = [truth([(0, (0, 0, side, side), False), (0, (0, 0, side - 1, side), False)], Size(100, 100))]
    sizes = proposal_metrics(proposal_recall(dataset(truths), {}), LabelSet(("cat", "dog")))["by_size"]
    counts = [one["objects"] for one in sizes.values()]
    assert sorted(counts) == [0, 0, 1, 1]
    place = (32, 60, 96).index(side)
    assert counts[place : place + 2] == [1, 1]


@pytest.mark.parametrize("truths", [[], [truth()], [None], [truth([(0, (0, 0, 5, 5), True)])]])
def test_nothing_to_find(truths):
    content = proposal_metrics(proposal_recall(dataset(truths, LABELS), {}), LabelSet(LABELS))
    assert content["objects"] == 0
    assert set(content["recall"].values()) == {None}
    assert (content["average_recall"], content["mabo"]) == (None, None)
    assert content["boxes_per_image"] == (0 if truths else None)


def test_a_missing_image_is_empty_and_an_extra_one_left_out():
    truths = [truth([(0, (0, 0, 10, 10), False)])] * 2
    found = {"000001": proposals([(0, 0, 10, 10)]), "other": proposals([(0, 0, 10, 10)])}
    content = proposal_metrics(proposal_recall(dataset(truths), found), LabelSet(("cat", "dog")), failed=1)
    assert (content["recall"]["0.95"], content["boxes_per_image"]) == (0.5, 0.5)
    assert (content["failed"], content["missing"]) == (1, 0)


def test_source_names_may_come_in_another_order_in_each_image():
    truths = [truth([(0, (0, 0, 10, 10), False)])] * 2
    whole = [(0, 0, 10, 10)]
    found = {"000000": proposals(whole, [0], ("a", "b")), "000001": proposals(whole, [1], ("b", "a"))}
    sources = proposal_recall(dataset(truths), found).sources
    assert sources["a"].recall()[0] == 1
    assert sources["b"].recall()[0] == 0


def test_proposals_on_another_size_are_refused():
    with pytest.raises(DataError, match=r"'000000': proposed on 50 x 60 pixels, annotated on 100 x 200") as caught:
        proposal_recall(dataset([truth()]), {"000000": proposals([], size=Size(50, 60))})
    assert caught.value.code == "SIZE_MISMATCH"


def test_boxes_are_not_assigned_so_one_may_cover_two_objects():
    truths = [truth([(0, (0, 0, 10, 10), False), (1, (0, 0, 10, 9), False)])]
    measured = proposal_recall(dataset(truths), {"000000": proposals([(0, 0, 10, 10)])})
    assert measured.union.recall()[0] == 1
    assert measured.union.best.tolist() == [1, 0.9]


def test_many_boxes_take_little_time():
    random = np.random.default_rng(0)

    def some(count):
        corner = random.random((count, 2)) * (90, 40)
        return np.hstack([corner, corner + 1 + random.random((count, 2)) * 50])

    truths = [truth([(0, box, False) for box in some(3)]) for _ in range(50)]
    found = {f"{place:06d}": proposals(some(2500), random.integers(0, 2, 2500)) for place in range(50)}
    begin = time.perf_counter()
    measured = proposal_recall(dataset(truths), found)
    assert time.perf_counter() - begin < 2
    first = measured.union.best[:3]
    overlap = intersection_over_union(truths[0].boxes.coordinates, found["000000"].boxes.coordinates)
    assert np.array_equal(first, overlap.max(axis=1))
