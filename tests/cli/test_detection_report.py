"""`detect --report`: one page with everything in it, which nothing from outside can break."""

import json

import numpy as np
import pytest
import stub_detector
from command_errors import codes
from hostile import encoded, write
from parsed_page import ParsedPage
from stub_parts import ColourClassifier

from googlenet_rcnn.cli import detection_report as module
from googlenet_rcnn.cli.detection_report import model_facts
from googlenet_rcnn.cli.web_files import hash_source
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.types import LabelSet

NASTY = "\"><img onerror=alert(1)>&'.png"


@pytest.fixture
def reported(detect, album, tmp_path):
    """The page of the album, as text and parsed."""
    result = detect(album, "--report", tmp_path / "report.html")
    assert result.exit_code == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    return text, ParsedPage(text)


def boxes(page):
    return [json.loads(text) for tag, text in page.texts if tag == "script" and text.startswith('{"width"')]


def test_every_image_is_there_with_its_boxes_and_nothing_is_fetched(reported):
    _, page = reported
    assert [text.rpartition("/")[2] for text in page.text("h2")[:3]] == ["a.png", "b.png", "c.png"]
    assert all(address.startswith(("data:image/jpeg;base64,", "data:,")) for address in page.addresses())
    assert len(page.all("img")) == 3
    assert [one["detections"][0]["label"] for one in boxes(page)] == ["red", "green", "blue"]
    assert [(one["width"], one["height"]) for one in boxes(page)] == [(30, 20)] * 3
    assert boxes(page)[0]["proposals"] == [list(map(int, row)) for row in stub_detector.WHOLE]


def test_only_its_own_script_and_style_may_run(reported):
    text, page = reported
    policy = page.all("meta")[1]["content"]
    (script,) = [part.partition("</script>")[0] for part in text.split("<script>")[1:]]
    (style,) = [part.partition("</style>")[0] for part in text.split("<style>")[1:]]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert hash_source(script) in policy
    assert hash_source(style) in policy
    assert "unsafe" not in policy
    assert not any(
        "style" in attributes or any(name.startswith("on") for name in attributes) for _, attributes in page.elements
    )


def test_controls_have_labels_and_the_slider_stands_at_the_threshold(reported):
    text, page = reported
    slider, box = page.all("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0.05", "1", "0.2")
    assert box["type"] == "checkbox"
    assert text.count("<label>") == 2
    assert all(one["alt"] for one in page.all("img"))


def test_names_of_files_and_classes_are_text_and_never_markup(cli, monkeypatch, tmp_path):
    classifier = ColourClassifier(LabelSet(("</script><b>red", "green", "blue")))
    stub_detector.install(monkeypatch.setattr, classifier)
    path = write(tmp_path, NASTY, encoded(np.full((20, 30, 3), (255, 0, 0), np.uint8), "PNG"))
    empty = write(tmp_path, "<i>none.png", b"")
    out = tmp_path / "report.html"
    assert cli("detect", path, empty, "--score-threshold", "0.2", "--threads", "1", "--report", out).exit_code == 4
    page = ParsedPage(out.read_text("utf-8"))
    assert page.text("h2")[0] == str(path)
    assert "IMG_EMPTY" in page.text("p")[-2] + page.text("p")[-1]
    assert not page.all("b")
    assert not page.all("i")
    assert len(page.all("script")) == 3  # the boxes of one image, the colours, the script
    assert boxes(page)[0]["detections"][0]["label"] == "</script><b>red"


def test_the_report_shows_more_than_the_rows_and_changes_none(cli, monkeypatch, tmp_path, rows):
    stub_detector.install(monkeypatch.setattr)
    half = np.zeros((20, 30, 3), np.uint8)
    half[:, :4] = (255, 0, 0)
    path = write(tmp_path, "half.png", encoded(half, "PNG"))
    command = ("detect", path, "--score-threshold", "0.5", "--threads", "1")
    plain = rows(cli(*command).stdout)
    out = tmp_path / "report.html"
    assert rows(cli(*command, "--report", out).stdout) == plain
    shown = boxes(ParsedPage(out.read_text("utf-8")))[0]["detections"]
    assert len(shown) > len(plain[0]["detections"])
    assert min(one["score"] for one in shown) < 0.5


def test_times_of_each_stage_are_told(reported):
    text, page = reported
    assert [text for text in page.text("th") if text in ("decoding", "proposals", "warping", "networks")] == [
        "decoding", "proposals", "warping", "networks",
    ]  # fmt: skip
    assert "Times of 3 images" in text
    assert text.count("milliseconds: decoding") == 3


def test_a_report_is_never_overwritten_unasked(detect, album, tmp_path):
    out = write(tmp_path, "report.html", b"mine")
    refused = detect(album, "--report", out)
    assert (refused.exit_code, codes(refused)) == (2, ["OUT_EXISTS"])
    assert out.read_bytes() == b"mine"
    assert detect(album, "--report", out, "--overwrite").exit_code == 0
    assert out.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_report_is_neither_an_input_nor_the_output(detect, album, tmp_path):
    before = (album / "a.png").read_bytes()
    for place in (album / "a.png", tmp_path / "out.jsonl"):
        refused = detect(album, "--out", tmp_path / "out.jsonl", "--report", place, "--overwrite")
        assert (refused.exit_code, codes(refused)) == (2, ["OUT_IS_INPUT"])
    assert (album / "a.png").read_bytes() == before


def test_what_is_stopped_leaves_no_half_report_and_is_not_continued_with_one(detect, stub, album, tmp_path, rows):
    stub.after = 2
    out, report = tmp_path / "out.jsonl", tmp_path / "report.html"
    assert detect(album, "--out", out, "--report", report).exit_code == 130
    assert not report.exists()
    assert not list(tmp_path.glob(".report*"))
    stub.after = 10**9
    refused = detect(album, "--out", out, "--report", report)
    assert (refused.exit_code, codes(refused)) == (2, ["REPORT_CONTINUED"])
    assert detect(album, "--out", out).exit_code == 0
    assert len(rows(out)) == 3


def test_the_page_grows_on_disk_and_not_in_memory(tmp_path):
    """What is added is written: nothing of an image is kept but its labels and times."""
    from googlenet_rcnn.cli.image_loop import Made

    row = {"status": "ok", "path": "a", "image_id": "a", "width": 1, "height": 1, "proposals": 0, "ms": {"decode": 1.0}}
    shown = {"width": 1, "height": 1, "detections": [], "proposals": [], "uri": "data:," + "x" * 100_000}
    with module.detection_report(tmp_path / "r.html", [], 0.5) as add:
        (temporary,) = tmp_path.iterdir()
        for _ in range(5):
            add(Made(row, exhibit=shown))
        assert temporary.stat().st_size > 400_000
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_facts_are_those_of_the_cards():
    cards = [Card(labels=tuple("abcdefg"), data="VOC", licence="free"), Card(labels=tuple("abcdefg"), data="VOC")]
    facts = dict(model_facts(["x", "y"], cards))
    assert facts["model"] == "x, y"
    assert facts["classes"] == "7: a, b, c, d, e, ..."
    assert (facts["trained on"], facts["licence of the weights"], facts["provenance"]) == ("VOC", "free", "not told")
