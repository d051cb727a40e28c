"""The upright box around a turned one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from googlenet_rcnn.datasets.turned_box import around_turned

numbers = st.floats(-100, 100)
sides = st.floats(0.1, 100)


@pytest.mark.parametrize(
    ("degrees", "pivot", "expected"),
    [
        (0, (0, 0), (10, 20, 40, 30)),
        (90, (10, 20), (0, 20, 10, 50)),  # clockwise on the screen, where y grows downwards
        (180, (10, 20), (-20, 10, 10, 20)),
        (90, (25, 25), (20, 10, 30, 40)),
        (
            45,
            (25, 25),
            (25 - 20 / math.sqrt(2), 25 - 20 / math.sqrt(2), 25 + 20 / math.sqrt(2), 25 + 20 / math.sqrt(2)),
        ),
    ],
)
def test_by_hand(degrees, pivot, expected):
    assert around_turned((10, 20, 40, 30), degrees, pivot) == pytest.approx(expected, abs=1e-9)


@given(numbers, numbers, sides, sides, st.floats(-720, 720))
def test_turned_about_its_centre_it_keeps_its_centre_and_never_loses_area(x, y, width, height, degrees):
    centre = (x + width / 2, y + height / 2)
    x1, y1, x2, y2 = around_turned((x, y, x + width, y + height), degrees, centre)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx(centre, abs=1e-6)
    assert (x2 - x1) * (y2 - y1) >= width * height * (1 - 1e-9)
    whole = around_turned((x, y, x + width, y + height), degrees + 360, centre)
    assert whole == pytest.approx((x1, y1, x2, y2), abs=1e-6)
