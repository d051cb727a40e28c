import math
from dataclasses import replace

import numpy as np
import pytest
from random_detections import random_case, table
from shared_data import SHARED, needs_shared
from tiny_voc import dataset, truth

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Boxes, Dataset, Detections, LabelSet, Size
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.results import read_comp4

BOX, FAR = (10, 10, 20, 20), (60, 60, 70, 70)


def ap_of(rows, truths, rule="voc10", names=("cat",)):
    return evaluate_detections(table(rows), dataset(truths, names), RULES[rule]).ap.tolist()


ONE, TWO = truth([(0, BOX, False)]), truth([(0, BOX, False), (0, FAR, False)])
HIT, MISS = (0, 0, 0.9, BOX), (0, 0, 0.8, (100, 0, 120, 30))


# By hand: name, detections, truths, AP of VOC 2007, AP of VOC 2010.
@pytest.mark.parametrize(
    ("rows", "truths", "eleven", "area"),
    [
        pytest.param([HIT], [ONE], 1, 1, id="found"),
        pytest.param([], [ONE], 0, 0, id="nothing found"),
        pytest.param([MISS], [ONE], 0, 0, id="only wrong"),
        pytest.param([HIT], [TWO], 6 / 11, 1 / 2, id="half found: points 0..0.5"),
        pytest.param([(0, 0, 0.7, BOX), MISS], [ONE], 1 / 2, 1 / 2, id="wrong one first"),
        pytest.param([HIT, (0, 0, 0.5, BOX)], [ONE], 1, 1, id="duplicate behind"),
        pytest.param(
            [HIT, (0, 0, 0.5, BOX), (0, 0, 0.4, FAR)],
            [TWO],
            (6 + 5 * 2 / 3) / 11,
            5 / 6,
            id="duplicate between",
        ),
        pytest.param([(0, 0, 0.9, (10, 10, 20, 15))], [ONE], 1, 1, id="overlap exactly 1/2 is enough"),
        pytest.param([(0, 0, 0.9, (10, 10, 20, 14.9))], [ONE], 0, 0, id="a little less is not"),
        pytest.param([(0, 0, 0.9, (20, 20, 10, 10))], [ONE], 0, 0, id="turned inside out counts as wrong"),
        pytest.param([(0, 0, 0.9, (0, 0, 0, 0))], [ONE], 0, 0, id="empty"),
        pytest.param([(0, 0, 0.9, (-900, -900, -800, 9e9)), (0, 0, 0.1, BOX)], [ONE], 0.5, 0.5, id="outside"),
        pytest.param([(1, 0, 0.9, BOX)], [ONE, truth()], 0, 0, id="in another image"),
        pytest.param([(0, 0, 0.5, BOX), (0, 0, 0.5, FAR)], [ONE], 1, 1, id="tie: earlier row first, right"),
        pytest.param([(0, 0, 0.5, FAR), (0, 0, 0.5, BOX)], [ONE], 0.5, 0.5, id="tie: earlier row first, wrong"),
    ],
)
def test_hand_worked(rows, truths, eleven, area):
    assert ap_of(rows, truths, "voc07") == pytest.approx([eleven])
    assert ap_of(rows, truths, "voc10") == pytest.approx([area])


@pytest.mark.parametrize("tenths", range(1, 11))
def test_recall_that_is_exactly_a_tenth_reaches_its_point(tenths):
    truths = [truth([(0, (20 * i, 0, 20 * i + 10, 10), False) for i in range(10)])]
    rows = [(0, 0, 1 - i / 100, (20 * i, 0, 20 * i + 10, 10)) for i in range(tenths)]
    assert ap_of(rows, truths, "voc07") == pytest.approx([(tenths + 1) / 11])


@pytest.mark.parametrize("rule", RULES)
def test_difficult_objects_neither_gain_nor_cost(rule):
    truths = [truth([(0, BOX, False), (0, FAR, True)])]
    rows = [(0, 0, 0.9, FAR), (0, 0, 0.8, FAR), (0, 0, 0.7, BOX)] if rule != "ilsvrc" else [(0, 0, 0.9, FAR), HIT]
    report = evaluate_detections(table(rows), dataset(truths, ["cat"]), RULES[rule])
    assert report.ap.tolist() == [1]
    assert report.truths.tolist() == [1]
    assert report.ignored.sum() == len(rows) - 1
    assert report.false_positives.tolist() == [0]
    only_difficult = evaluate_detections(table(rows), dataset([truth([(0, FAR, True)])], ["cat"]), RULES[rule])
    assert np.isnan(only_difficult.ap).all()


def test_nearest_truth_is_fixed_before_it_is_free():
    # Two overlapping objects and two detections nearest the first: PASCAL calls the second a duplicate.
    truths = [truth([(0, (0, 0, 20, 20), False), (0, (0, 4, 20, 24), False)])]
    rows = [(0, 0, 0.9, (0, 0, 20, 20)), (0, 0, 0.8, (0, 1, 20, 21))]
    assert ap_of(rows, truths, "voc10") == [0.5]
    assert ap_of(rows, truths, "ilsvrc") == [1]


def test_ilsvrc_thresholds():
    sides = [(5, 5), (10, 10), (20, 20), (24, 24), (25, 25), (10, 100)]
    boxes = np.array([(0, 0, width, height) for width, height in sides], dtype=float)
    expected = [0.111111, 0.25, 0.444444, 0.498270, 0.5, 0.454545]
    assert RULES["ilsvrc"].thresholds(boxes) == pytest.approx(expected, abs=1e-6)
    assert RULES["voc07"].thresholds(boxes).tolist() == [0.5] * 6
    small = [truth([(0, (0, 0, 10, 10), False)])]
    assert ap_of([(0, 0, 1, (0, 0, 10, 3))], small, "ilsvrc") == [1]
    assert ap_of([(0, 0, 1, (0, 0, 10, 3))], small, "voc10") == [0]


def test_excluded_pairs_do_not_count():
    # The first detections of all are ignored ones, so precision begins as 0/0, which must not spoil the curve.
    data = replace(dataset([ONE, ONE], ["cat"]), excluded=[(0, 0)])
    report = evaluate_detections(table([(0, 0, 0.9, FAR), (0, 0, 0.8, BOX), (1, 0, 0.7, BOX)]), data, RULES["ilsvrc"])
    assert report.ap.tolist() == [1]
    assert report.truths.tolist() == [1]
    assert report.ignored.tolist() == [2]


def test_equal_scores_go_by_image_number_under_ilsvrc_only():
    samples = dataset([ONE, truth()], ["cat"]).samples
    right, wrong = (0, 0, 0.5, BOX), (1, 0, 0.5, BOX)
    for numbers, ap in (((1, 2), 1), ((2, 1), 0.5)):
        numbered = [replace(one, number=number) for one, number in zip(samples, numbers, strict=True)]
        data = Dataset(LabelSet(("cat",)), numbered)
        for rows, by_row in (([right, wrong], 1), ([wrong, right], 0.5)):
            assert evaluate_detections(table(rows), data, RULES["ilsvrc"]).ap.tolist() == [ap]
            assert evaluate_detections(table(rows), data, RULES["voc10"]).ap.tolist() == [by_row]


@pytest.mark.parametrize("rule", RULES)
def test_empty_is_ordinary(rule):
    for truths, rows, expected in (
        ([], [], [math.nan, math.nan]),
        ([truth()], [], [math.nan, math.nan]),
        ([truth()], [HIT], [math.nan, math.nan]),
        ([ONE], [], [0, math.nan]),
        ([ONE, truth()], [(0, 1, 0.9, BOX)], [0, math.nan]),
    ):
        report = evaluate_detections(table(rows), dataset(truths), RULES[rule])
        assert np.array_equal(report.ap, expected, equal_nan=True)
        assert np.array_equal(report.mean, np.nan if np.isnan(expected).all() else 0, equal_nan=True)


def test_missing_truth_and_foreign_rows():
    with pytest.raises(DataError, match="000000"):
        evaluate_detections(table([]), dataset([None]), RULES["voc07"])
    with pytest.raises(ValueError, match="images"):
        evaluate_detections(table([(1, 0, 0.5, BOX)]), dataset([ONE]), RULES["voc07"])


@pytest.mark.parametrize("row", [(0, 0, math.nan, BOX), (0, 0, math.inf, BOX), (0, 0, 1, (0, 0, 1, math.nan))])
def test_numbers_must_be_finite(row):
    with pytest.raises(DataError) as caught:
        table([HIT, row])
    assert caught.value.code == "DET_NOT_FINITE"
    assert "detection 1" in caught.value.message


def test_table_shapes_and_detections():
    with pytest.raises(ValueError, match="label"):
        DetectionTable([0], [0, 1], [0.5], [BOX])
    with pytest.raises(ValueError, match="start at 0"):
        DetectionTable([-1], [0], [0.5], [BOX])
    size = Size(100, 100)
    one = Detections(Boxes([BOX, FAR], size), [1, 0], [0.9, 0.5])
    found = DetectionTable.from_detections([Detections.empty(size), one])
    assert found.image_index.tolist() == [1, 1]
    assert found.boxes.tolist() == [list(BOX), list(FAR)]
    assert len(DetectionTable.from_detections([])) == 0


@pytest.mark.parametrize("rule", RULES)
def test_order_of_images_and_rows_does_not_matter(rule):
    truths, rows = random_case(7)
    generator = np.random.default_rng(0)
    moved = generator.permutation(len(truths))
    to = np.argsort(moved)
    shuffled = [(int(to[rows[i][0]]), *rows[i][1:]) for i in generator.permutation(len(rows))]
    assert ap_of(shuffled, [truths[i] for i in moved], rule, "abc") == ap_of(rows, truths, rule, "abc")


def test_blocks_of_pairs_do_not_change_the_answer(monkeypatch):
    truths, rows = random_case(3)
    whole = {rule: ap_of(rows, truths, rule, "abc") for rule in RULES}
    monkeypatch.setattr("googlenet_rcnn.eval.overlap_pairs._BLOCK", 3)
    assert {rule: ap_of(rows, truths, rule, "abc") for rule in RULES} == whole


def test_report_counts_add_up():
    truths, rows = random_case(5)
    report = evaluate_detections(table(rows), dataset(truths, "abc"), RULES["voc07"])
    assert (report.true_positives + report.false_positives + report.ignored).sum() == len(rows)
    for label in range(3):
        assert report.recall[label][-1] == report.true_positives[label] / report.truths[label]
        assert (np.diff(report.score[label]) <= 0).all()
        assert len(report.precision[label]) == report.true_positives[label] + report.false_positives[label]


@needs_shared
@pytest.mark.parametrize(("rule", "answers"), [("voc07", "ap_voc2007.tsv"), ("voc10", "ap_voc2012.tsv")])
def test_official_scripts_agree_to_every_printed_digit(rule, answers):
    folder = SHARED / "golden" / "voc_sample"
    labels = LabelSet(tuple((folder / "classes.txt").read_text().split()))
    data = read_voc(folder, "test", labels)
    report = evaluate_detections(read_comp4(folder / "results", data).table, data, RULES[rule])
    expected = dict(line.split() for line in (folder / answers).read_text().splitlines())
    assert {name: f"{ap:.12g}" for name, ap in zip(labels.names, report.ap, strict=True)} == expected
