"""Colours of classes: always the same, apart for people with any eyes, with legible ink."""

import itertools

import numpy as np
import pytest

from googlenet_rcnn.cli.draw.class_colours import class_colour, hex_colour, ink_on
from googlenet_rcnn.datasets.label_list import load_labels

NAMES = [*load_labels("voc20").names, *load_labels("ilsvrc_det").names, "", "кот", "\udcff"]

# Viénot, Brettel and Mollon 1999: what those without red or green cones see, in linear light.
SEEN_BY = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def linear(colour):
    return (np.array(colour) / 255) ** 2.2


def test_a_colour_depends_on_the_name_alone():
    assert class_colour("cat") == class_colour("c" + "at")
    assert [class_colour(name) for name in NAMES] == [class_colour(name) for name in NAMES]
    assert len({class_colour(name) for name in load_labels("ilsvrc_det").names}) >= 30


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_classes_of_voc_stay_apart_for_those_who_see_red_and_green_alike(eyes):
    seen = [np.array(SEEN_BY[eyes]) @ linear(class_colour(name)) for name in load_labels("voc20").names]
    apart = [
        np.abs(a.clip(0, 1) ** (1 / 2.2) - b.clip(0, 1) ** (1 / 2.2)).max() for a, b in itertools.combinations(seen, 2)
    ]
    assert min(apart) > 0.07
    assert np.median(apart) > 0.25


def contrast(one, other):
    """WCAG's ratio, from its definition."""

    def light(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(colour) / 255]
        return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_ink_is_legible_on_every_colour():
    for name in NAMES:
        colour = class_colour(name)
        assert contrast(ink_on(colour), colour) >= 4.5, name
    for colour in itertools.product(range(0, 256, 51), repeat=3):
        assert contrast(ink_on(colour), colour) >= 4.5, colour


def test_pages_and_pictures_write_the_same_colour():
    for name in NAMES:
        text = hex_colour(class_colour(name))
        assert tuple(bytes.fromhex(text.removeprefix("#"))) == class_colour(name)
