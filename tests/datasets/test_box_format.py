import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from googlenet_rcnn.datasets.box_format import suspect_format

FORMS = {
    "x1 y1 x2 y2": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "x y width height": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "centre width height": lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
}


def boxes(seed, count):
    """Corners [N,4] of boxes anywhere in images [N,2], as they occur."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(200, 600, (count, 2))
    sides = np.maximum(np.floor(sizes * generator.uniform(0.02, 0.9, (count, 2))), 2)
    start = np.floor((sizes - sides) * generator.random((count, 2)))
    return np.hstack([start, start + sides]), sizes


def rewritten(corners, form):
    return np.stack(FORMS[form](*corners.T), axis=1)


# FAULTS 29: every form is told from every other, whoever expects it.
@pytest.mark.parametrize("expected", FORMS)
@pytest.mark.parametrize("written", FORMS)
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_what_was_written_is_found(expected, written, normalised, seed):
    corners, sizes = boxes(seed, 150)
    rows = rewritten(corners / np.tile(sizes, 2) if normalised else corners, written)
    unit = "normalised" if normalised else "in pixels"
    assert suspect_format(rows, sizes, expected, not normalised) == f"{written} {unit}"
    found = suspect_format(rows, sizes, expected, normalised)
    assert found == ("" if written == expected else f"{written} {unit}")


@given(seed=st.integers(0, 10**6), count=st.integers(0, 60), form=st.sampled_from(list(FORMS)))
def test_honest_boxes_are_never_suspected(seed, count, form):
    corners, sizes = boxes(seed, count)
    assert suspect_format(rewritten(corners, form), sizes, form) == ""


def test_few_boxes_say_nothing_and_slips_at_the_border_are_forgiven():
    assert suspect_format(np.full((7, 4), 0.5), np.full((7, 2), 100), "x y width height") == ""
    over = np.tile([90.0, 90.0, 11.0, 11.0], (50, 1))
    assert suspect_format(over, np.full((50, 2), 100), "x y width height") == ""
