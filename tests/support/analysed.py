"""Detections and truths in short form, matched and analysed."""

from random_detections import table
from tiny_voc import dataset

from googlenet_rcnn.eval.error_analysis import ErrorAnalysis, analyse_errors
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import Matches, match


def matched(rows, truths, rule="voc10", names="abc") -> Matches:
    """Rows (image, label, score, box) matched to the truths of each image."""
    return match(table(rows), dataset(truths, names), RULES[rule])


def analysed(rows, truths, rule="voc10", names="abc", groups=None) -> ErrorAnalysis:
    """The whole analysis of such rows."""
    data = dataset(truths, names)
    return analyse_errors(table(rows), matched(rows, truths, rule, names), data.labels, RULES[rule], groups)


def perfect(truths):
    """Rows that find every object of the truths with score 1."""
    return [
        (image, int(label), 1.0, tuple(map(float, box)))
        for image, one in enumerate(truths)
        for box, label in zip(one.boxes.coordinates, one.labels, strict=True)
    ]
