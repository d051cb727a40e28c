import json
import math
from dataclasses import replace

import numpy as np
import pytest
from random_coco import random_coco
from random_detections import table
from reference_coco import FIGURES, reference_coco
from tiny_voc import dataset, truth

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset, Size
from googlenet_rcnn.eval.coco_metric import coco_metrics
from googlenet_rcnn.eval.coco_report import coco_content, coco_table
from googlenet_rcnn.eval.detection_table import DetectionTable

BOX, FAR = (10, 10, 20, 20), (60, 60, 70, 70)
ONE = truth([(0, BOX, False)])
HIT = (0, 0, 0.9, BOX)


def figures(rows, truths, names=("cat",)):
    return coco_metrics(table(rows), dataset(truths, names)).figures


def test_pycocotools_agrees_on_random_cases():
    for seed in range(150):
        data, found = random_coco(seed)
        ours = coco_metrics(found, data).figures
        assert ours == pytest.approx(reference_coco(found, data), abs=1e-9, nan_ok=True), seed


def test_the_random_cases_reach_every_figure():
    seen = [coco_metrics(found, data).figures for data, found in map(random_coco, range(30))]
    for name in FIGURES:
        values = [one[name] for one in seen]
        assert any(0 < value < 1 for value in values), name
    assert any(math.isnan(one["AP_large"]) for one in seen)


def test_ids_do_not_matter():  # FAULTS 4: ids from 0 and ids used twice cost the reference 0.75 of AP
    data, found = random_coco(8)
    plain = coco_metrics(found, data).figures
    moved = [replace(one, image_id=f"x{place}", number=place) for place, one in enumerate(data.samples)]
    assert coco_metrics(found, Dataset(data.labels, moved)).figures == plain
    perfect = coco_metrics(table([HIT, (1, 0, 0.5, FAR)]), dataset([ONE, truth([(0, FAR, False)])], ["cat"]))
    assert perfect.figures["AP"] == 1


def test_no_detections_is_zero():  # FAULTS 4
    assert figures([], [ONE])["AP"] == 0
    assert figures([], [ONE])["AR100"] == 0
    assert math.isnan(figures([], [ONE])["AP_large"])


def test_no_truth_is_undefined_and_not_minus_one():  # FAULTS 4
    for truths in ([], [truth()], [truth([(0, BOX, True)])]):
        report = coco_metrics(table([HIT] if truths else []), dataset(truths, ["cat"]))
        assert all(math.isnan(value) for value in report.figures.values())
        assert np.isnan(report.ap).all()
        assert report.truths.tolist() == [0]


@pytest.mark.parametrize("box", [(20, 10, 10, 20), (10, 20, 20, 10), (20, 20, 10, 10)])
def test_a_negative_side_is_an_error(box):  # FAULTS 4
    with pytest.raises(DataError, match="detection 1 ") as caught:
        figures([HIT, (0, 0, 0.8, box)], [ONE])
    assert caught.value.code == "DET_NEGATIVE_SIDE"


@pytest.mark.parametrize("row", [(0, 0, math.nan, BOX), (0, 0, 1, (0, 0, math.nan, 1)), (0, 0, 1, (0, 0, math.inf, 1))])
def test_what_is_not_finite_is_an_error(row):  # FAULTS 4
    with pytest.raises(DataError, match="detection 1 ") as caught:
        figures([HIT, row], [ONE])
    assert caught.value.code == "DET_NOT_FINITE"


@pytest.mark.parametrize("row", [(1, 0, 0.5, BOX), (0, 1, 0.5, BOX)])
def test_unknown_image_or_class_is_an_error(row):  # FAULTS 4
    with pytest.raises(ValueError, match="more than 1 images or 1 labels"):
        figures([row], [ONE])


def test_missing_area_is_that_of_the_box():  # FAULTS 4
    given = replace(ONE, areas=[100.0])
    assert figures([HIT], [given]) == pytest.approx(figures([HIT], [ONE]), nan_ok=True)
    assert math.isnan(figures([HIT], [replace(ONE, areas=[5000.0])])["AP_small"])


def test_an_object_on_a_border_is_of_both_sizes():
    on = truth([(0, (0, 0, 32, 32), False)])
    found = figures([(0, 0, 0.9, (0, 0, 32, 32))], [on])
    assert [found[name] for name in ("AP_small", "AP_medium")] == [1, 1]
    assert math.isnan(found["AP_large"])


def test_a_crowd_takes_in_any_number():  # FAULTS 42
    truths = [truth([(0, BOX, False), (0, (50, 50, 100, 100), True)])]
    inside = [(0, 0, 0.99, (60, 60, 70, 70)), (0, 0, 0.98, (60, 60, 70, 71)), (0, 0, 0.97, (50, 50, 60, 100))]
    assert figures([*inside, HIT], truths)["AP"] == 1
    assert figures([(0, 0, 0.99, (100, 0, 110, 10)), HIT], truths)["AP"] == pytest.approx(0.5)


def test_only_the_best_hundred_of_image_and_class_take_part():
    many = [(0, 0, 0.9, FAR)] * 99
    assert figures([*many, (0, 0, 0.5, BOX)], [ONE])["AR100"] == 1
    assert figures([*many, (0, 0, 0.6, FAR), (0, 0, 0.5, BOX)], [ONE])["AR100"] == 0
    assert figures([*many, (0, 1, 0.6, FAR), (0, 0, 0.5, BOX)], [ONE], "ab")["AR100"] == 1
    assert figures([*many, (0, 0, 0.5, BOX)], [ONE])["AR10"] == 0


def test_equal_scores_go_by_image_id_and_then_by_row():
    samples = dataset([ONE, truth()], ["cat"]).samples
    right, wrong = (0, 0, 0.5, BOX), (1, 0, 0.5, BOX)
    for numbers, ap in (((1, 2), 1), ((2, 1), 0.5)):
        numbered = [replace(one, number=number) for one, number in zip(samples, numbers, strict=True)]
        data = Dataset(dataset([], ["cat"]).labels, numbered)
        for rows in ([right, wrong], [wrong, right]):
            assert coco_metrics(table(rows), data).figures["AP"] == pytest.approx(ap)
    assert figures([(0, 0, 0.5, FAR), right], [ONE])["AP"] == pytest.approx(0.5)
    assert figures([right, (0, 0, 0.5, FAR)], [ONE])["AP"] == 1


def test_of_equal_overlaps_the_last_object_is_taken():
    # Between two objects, so the first of them is left for the second detection.
    data = dataset([truth([(0, (0, 0, 20, 20), False), (0, (4, 0, 24, 20), False)])], ["cat"])
    found = table([(0, 0, 0.9, (2, 0, 22, 20)), (0, 0, 0.8, (0, 0, 20, 20))])
    ours = coco_metrics(found, data).figures
    assert ours["AP75"] == 1
    assert ours == pytest.approx(reference_coco(found, data), abs=1e-9, nan_ok=True)


def test_excluded_pairs_are_left_out():
    samples = dataset([ONE, ONE], ["cat"]).samples
    rows = [(0, 0, 0.9, FAR), (0, 0, 0.8, BOX), (1, 0, 0.7, BOX)]
    report = coco_metrics(table(rows), Dataset(dataset([], ["cat"]).labels, samples, excluded=[(0, 0)]))
    assert report.figures["AP"] == 1
    assert report.truths.tolist() == [1]


def test_mean_of_the_classes_is_the_figure():
    data, found = random_coco(3)
    report = coco_metrics(found, data)
    assert report.figures["AP"] == pytest.approx(np.nanmean(report.ap))
    assert report.truths.sum() == sum(int((~one.truth.ignore).sum()) for one in data.samples)


def test_equal_input_gives_equal_bytes_in_any_order_of_images():
    data, found = random_coco(8)
    data = Dataset(data.labels, [replace(one, number=9 - place) for place, one in enumerate(data.samples)])
    to = np.arange(len(data.samples))[::-1]
    turned = DetectionTable(to[found.image_index], found.label, found.score, found.boxes)
    mirrored = Dataset(data.labels, data.samples[::-1])
    assert coco_metrics(turned, mirrored).figures == coco_metrics(found, data).figures


def test_what_is_written_and_shown():
    data = dataset([truth([(0, (0, 0, 90, 90), False)], Size(100, 200))])
    report = coco_metrics(table([(0, 0, 0.5, (0, 0, 90, 45))]), data)
    content = coco_content(report, data.labels, 1)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["rule"] == "coco"
    assert content["ap"] == {"cat": pytest.approx(0.1), "dog": None}
    assert content["map"] == content["coco"]["AP"] == pytest.approx(0.1)
    assert tuple(content["coco"]) == FIGURES
    assert content["coco"]["AP_large"] is None
    lines = coco_table(report, data.labels).splitlines()
    assert lines[1].split() == ["cat", "0.1000", "1"]
    assert lines[2].split() == ["dog", "n/a", "0"]
    assert len(lines) == 3 + 1 + 12
    assert "-1" not in "\n".join(lines).split()
