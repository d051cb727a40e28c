"""The fast rules against the slow ones: whatever the images hold, the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from brute_force_ap import brute_force_ap
from hypothesis import given, settings
from hypothesis import strategies as st
from random_coco import random_coco
from random_detections import random_case, table
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.match_rule import RULES

EDGES = st.sampled_from([0, 2, 4, 5, 8, 10, 14, 15, 20, 30, 40])


@st.composite
def cases(draw):
    """A few images of few places, so that duplicates, ties of score and of overlap, and empties all come up."""
    images, names = draw(st.integers(0, 3)), draw(st.integers(1, 2))
    label = st.integers(0, names - 1)
    spans = st.tuples(EDGES, EDGES).filter(lambda span: span[0] < span[1])
    boxes = st.tuples(spans, spans).map(lambda span: (span[0][0], span[1][0], span[0][1], span[1][1]))
    # Also turned inside out, without area, and outside the image.
    found = boxes | st.tuples(*[EDGES | st.sampled_from([-30, 500])] * 4)
    objects = st.lists(st.tuples(label, boxes, st.sampled_from([False, False, True])), max_size=5)
    data = dataset([truth(draw(objects)) for _ in range(images)], [f"class {one}" for one in range(names)])
    samples = data.samples
    if draw(st.booleans()):
        numbers = draw(st.permutations(range(1, images + 1)))
        samples = [replace(one, number=number) for one, number in zip(samples, numbers, strict=True)]
    if not images:
        return data, table([])
    places = st.tuples(st.integers(0, images - 1), label)
    score = st.sampled_from([0.0, 0.5, 0.5, 1.0]) | st.floats(-1, 2, allow_nan=False)
    rows = draw(st.lists(st.tuples(places, score, found), max_size=14))
    excluded = draw(st.lists(places, max_size=2))
    return Dataset(data.labels, samples, excluded=excluded), table([(*at, score, box) for at, score, box in rows])


def agrees(data, found):
    for rule in RULES:
        fast = evaluate_detections(found, data, RULES[rule])
        slow = brute_force_ap(data, found, rule)
        assert fast.ap.tolist() == pytest.approx(slow, rel=0, abs=1e-12, nan_ok=True), rule
        mean = np.nanmean(slow) if not np.isnan(slow).all() else np.nan
        assert fast.mean == pytest.approx(mean, rel=0, abs=1e-12, nan_ok=True), rule


@settings(max_examples=250, deadline=None)
@given(cases())
def test_drawn_cases(case):
    agrees(*case)


def test_random_cases_of_many_objects():
    for seed in range(500):
        truths, rows = random_case(seed)
        agrees(dataset(truths, "abc"), table(rows))


def test_random_cases_with_ties_and_numbers():
    for seed in range(300):
        data, found = random_coco(seed)
        places = np.random.default_rng(seed).integers(0, [len(data.samples), len(data.labels)], (2, 2))
        agrees(replace(data, excluded=[tuple(pair) for pair in places.tolist()]), found)
