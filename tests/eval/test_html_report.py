import dataclasses

import numpy as np
import pytest
from parsed_page import ParsedPage
from random_detections import random_case, table
from tiny_voc import dataset, truth

from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.bootstrap import MapInterval
from googlenet_rcnn.eval.error_analysis import analyse_errors
from googlenet_rcnn.eval.html_report import Evaluation, html_report
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match

TRUTHS, ROWS = random_case(2, images=20)


def evaluation(rows=ROWS, truths=TRUTHS, names="abc", rule="voc07", **more):
    data, found = dataset(truths, names), table(rows)
    matches = match(found, data, RULES[rule])
    errors = analyse_errors(found, matches, data.labels, RULES[rule])
    return Evaluation("a title", data, RULES[rule], average_precision(matches, RULES[rule]), errors, **more)


def read(*arguments, **options):
    return ParsedPage(html_report(evaluation(*arguments, **options)))


@pytest.mark.parametrize("rule", RULES)
def test_every_part_is_there_and_explained(rule):
    page = read(rule=rule)
    assert len(page.text("h2")) == 9
    assert len(page.all("section")) == len(page.all("a")) == 9
    assert len([chart for chart in page.all("svg") if chart.get("class") == "chart"]) == 3 + 2
    assert len(page.text("p")) >= 9
    assert page.text("dd")[:4] == [f"{evaluation(rule=rule).scored.mean:.4f}", rule, "20", *page.text("dd")[3:4]]


def test_numbers_are_those_of_the_score():
    run = evaluation()
    cells = ParsedPage(html_report(run)).all("td")
    scored = run.scored
    expected = [
        value
        for row in zip(
            scored.ap, scored.truths, scored.true_positives, scored.false_positives, scored.ignored, strict=True
        )
        for value in map(float, row)
    ]
    values = [float(cell["data-value"]) for cell in cells if "data-value" in cell]
    assert values[: len(expected)] == pytest.approx(expected)
    assert str(int(run.errors.confusion[0, 0])) in ParsedPage(html_report(run)).text("td")


@pytest.mark.parametrize("rows", [ROWS, []])
@pytest.mark.parametrize("truths", [TRUTHS, [], [truth()]])
def test_nothing_is_fetched_and_nothing_is_left_out_whatever_is_empty(rows, truths):
    page = read([row for row in rows if row[0] < len(truths)], truths)
    assert all(address.startswith(("#", "data:")) for address in page.addresses())
    assert len(page.text("h2")) == 9
    assert not any("nan" in text.split() or "inf" in text.split() for _, text in page.texts)


def test_names_with_markup_are_text():
    """FAULTS 90: in classes, notes, title and further figures."""
    evil = "<img src=http://x/ onerror=alert(1)>"
    run = evaluation(names=(evil, "b", "c"), notes=[evil], figures=[(evil, 0.5)])
    page = ParsedPage(html_report(dataclasses.replace(run, title=evil)))
    assert page.all("img") == []
    assert page.text("h1") == [evil]
    assert evil in page.text("p")
    assert evil in page.text("dt")
    assert page.text("th").count(evil) >= 2


def test_interval_notes_and_figures_are_told():
    page = read(interval=MapInterval(0.25, 0.5, 0.95), notes=["3 images are missing"], figures=[("AP50", 0.75)])
    assert "0.2500 to 0.5000 in 95% of resampled images" in page.text("small")
    assert "3 images are missing" in page.text("p")
    assert "0.7500" in page.text("dd")
    nothing = float("nan")
    assert "not defined" in read(interval=MapInterval(nothing, nothing, 0.95)).text("small")


def test_scores_that_are_no_probabilities_are_said_to_be_none():
    page = read([(image, label, score * 9 - 4, box) for image, label, score, box in ROWS])
    assert any("no probabilities" in text for text in page.text("p"))
    assert len([chart for chart in page.all("svg") if chart.get("class") == "chart"]) == 3 + 1


def test_many_classes_have_their_worst_pairs_alone():
    names = [f"class {number}" for number in range(200)]
    scene = [truth([(label, (0, 0, 50, 50), False)]) for label in range(200)]
    page = read([(image, (image + 1) % 200, 0.5, (0, 0, 50, 50)) for image in range(0, 200, 2)], scene, names)
    assert not [one for one in page.all("table") if one.get("class") == "matrix"]
    assert any("200 classes" in text for text in page.text("p"))
    assert len(read().all("table")) == len(page.all("table")) + 1


def test_unknown_similarity_is_said_and_a_known_one_not():
    hint = "--similar"
    assert any(hint in text for text in read().text("p"))
    rows = [row for row in ROWS if row[1] < 2]
    truths = [one[one.labels < 2] for one in TRUTHS]
    assert not any(hint in text for text in read(rows, truths, ("cat", "dog")).text("p"))


def test_equal_input_gives_equal_text_and_a_large_set_a_small_page():
    assert html_report(evaluation()) == html_report(evaluation())
    truths, rows = random_case(0, images=300)
    scores = np.random.default_rng(0).random(len(rows))
    rows = [(image, label, float(score), box) for (image, label, _, box), score in zip(rows, scores, strict=True)]
    assert len(html_report(evaluation(rows, truths))) < 200_000
