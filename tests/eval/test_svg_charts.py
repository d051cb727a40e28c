from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from googlenet_rcnn.eval.svg_charts import COLOURS, curve_chart, histogram_chart, reliability_chart, split_bar

NOTHING = np.zeros(0)
EDGES = np.linspace(0, 1, 5)
CHARTS = {
    "curve": lambda title: curve_chart(title, np.array([0.5, 1.0]), np.array([1.0, 0.5]), "recall", "precision"),
    "no curve": lambda title: curve_chart(title, NOTHING, NOTHING, "recall", "precision"),
    "histogram": lambda title: histogram_chart(title, EDGES, [np.array([1, 0, 3, 9]), np.array([5, 0, 0, 1])], "score"),
    "empty histogram": lambda title: histogram_chart(title, EDGES, [np.zeros(4, dtype=int)], "score"),
    "reliability": lambda title: reliability_chart(title, np.array([np.nan, 0.5]), np.array([np.nan, 0.75])),
    "bar": lambda title: split_bar(title, [1, 0, 2], 4),
    "empty bar": lambda title: split_bar(title, [0, 0], 0),
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_well_formed_and_says_what_it_shows(name):
    """FAULTS 90: a title with markup in it stays text."""
    title = '<script>alert(1)</script> & "cat"'
    tree = ElementTree.fromstring(CHARTS[name](title))
    assert tree.attrib["role"] == "img"
    assert tree.find("title").text == title
    assert not list(tree.iter("script"))
    assert "nan" not in CHARTS[name]("x")
    assert CHARTS[name](title) == CHARTS[name](title)


def points(svg):
    line = ElementTree.fromstring(svg).find("polyline").attrib["points"]
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_curve_goes_in_steps_within_the_field_and_its_area_is_the_ap():
    x, y = np.array([0.25, 0.5, 1.0]), np.array([1.0, 0.5, 0.25])
    line = points(curve_chart("", x, y, "recall", "precision"))
    (left, top), bottom = line[0], line[-1][1]
    right = line[-1][0]
    area = sum((b[0] - a[0]) * (bottom - a[1]) for a, b in pairwise(line) if a[1] == b[1])
    assert area / ((right - left) * (bottom - top)) == pytest.approx(0.25 + 0.125 + 0.125, abs=1e-3)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(line))


def test_long_curves_are_thinned_but_keep_their_ends():
    x = np.linspace(0.001, 0.9, 5000)
    line = points(curve_chart("", x, 1 - x, "recall", "precision"))
    assert len(line) <= 241
    assert line[0][0] < line[-1][0]
    whole = points(curve_chart("", np.array([1.0]), np.array([1.0]), "recall", "precision"))
    assert (line[-1][0] - line[0][0]) / (whole[-1][0] - whole[0][0]) == pytest.approx(0.9, abs=1e-3)


def bars(svg):
    return [one.attrib for one in ElementTree.fromstring(svg).iter("rect") if one.attrib["fill"] in COLOURS]


def test_histogram_stacks_on_a_square_root_scale():
    first, second = np.array([4, 0, 0, 0]), np.array([12, 0, 0, 4])
    found = bars(histogram_chart("", EDGES, [first, second], "score"))
    heights = [float(one["height"]) for one in found]
    assert [one["fill"] for one in found] == [COLOURS[0], COLOURS[1], COLOURS[1]]
    # 4 of 16 stand half as high as all 16, and the 12 above them fill the rest.
    assert heights[0] == pytest.approx(heights[1], abs=0.2)
    assert heights[2] == pytest.approx(heights[0], abs=0.2)
    assert float(found[1]["y"]) + heights[1] == pytest.approx(float(found[0]["y"]), abs=0.2)


def test_reliability_has_a_bar_for_each_bin_with_detections():
    assert len(bars(reliability_chart("", np.array([0.25, np.nan, 0.5]), np.array([0.1, np.nan, 0.8])))) == 2


def test_split_bar_shares_its_length():
    found = bars(split_bar("", [1, 0, 2], 4))
    assert [float(one["width"]) for one in found] == [50, 100]
    assert [float(one["x"]) for one in found] == [0, 50]


def test_colours_are_light_and_dark_enough_apart():
    """Also without colour: neighbours in a bar differ in luminance."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        return sum(weight * part**2.2 for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    ratios = [(luminance(a) + 0.05) / (luminance(b) + 0.05) for a, b in pairwise(COLOURS[:4])]
    assert all(max(ratio, 1 / ratio) > 1.3 for ratio in ratios)
