import json

import pytest
from tiny_voc import annotation, devkit, thing


@pytest.fixture
def data(tmp_path):
    """Two images: a cat in the first, a cat and a difficult dog in the second."""
    difficult = "<difficult>1</difficult>"
    xml = {
        "000001": annotation(thing("cat", (1, 1, 50, 50))),
        "000002": annotation(thing("cat", (11, 11, 60, 60)), thing("dog", (101, 1, 150, 50), difficult)),
    }
    return devkit(tmp_path / "devkit", xml, split="val")


def line(image_id, *boxes, source="ss", **more):
    row = {"schema": 1, "image_id": image_id, "path": "x", "width": 200, "height": 100, "status": "ok"}
    columns = {"boxes": boxes, "scores": [0.5] * len(boxes), "sources": [source] * len(boxes)}
    return json.dumps(row | columns | more) + "\n"


FIRST = line("000001", [0, 0, 50, 50])
SECOND = line("000002", [100, 50, 150, 100], [10, 10, 60, 40])


@pytest.fixture
def evaluate(cli, data, tmp_path):
    def run(text, *flags):
        (tmp_path / "p.jsonl").write_text(text)
        return cli(
            "evaluate", "proposals", "--data", data, "--split", "val", "--proposals", tmp_path / "p.jsonl", *flags
        )

    return run


def test_figures_worked_out_by_hand(evaluate):
    """One cat is met exactly, the other by 0.6 of it; the difficult dog does not count."""
    result = evaluate(FIRST + SECOND)
    assert (result.exit_code, result.stderr) == (0, "")
    content = json.loads(result.stdout)
    assert (content["images"], content["objects"], content["boxes_per_image"]) == (2, 2, 1.5)
    assert (content["recall"]["0.6"], content["recall"]["0.65"]) == (1, 0.5)
    assert (content["abo"]["cat"], content["abo"]["dog"]) == (0.8, None)
    assert content["mabo"] == 0.8
    assert (content["failed"], content["missing"]) == (0, 0)
    assert content["per_source"]["ss"]["recall"] == content["recall"]


def test_report_gets_numbers_and_plots_and_the_console_a_table(evaluate, tmp_path):
    result = evaluate(FIRST + SECOND, "--report", tmp_path / "new" / "report")
    assert result.exit_code == 0
    files = sorted(path.name for path in (tmp_path / "new" / "report").iterdir())
    assert files == ["metrics.json", "recall_boxes.png", "recall_overlap.png"]
    content = json.loads((tmp_path / "new" / "report" / "metrics.json").read_text())
    assert {"images", "boxes_per_image", "recall", "average_recall", "abo", "mabo", "per_source"} <= set(content)
    assert result.stdout.startswith("source ")
    assert f"{content['mabo']:.4f}" in result.stdout


def test_report_is_kept_unless_overwritten(evaluate, tmp_path):
    assert evaluate(FIRST + SECOND, "--report", tmp_path).exit_code == 0
    before = (tmp_path / "metrics.json").read_bytes()
    result = evaluate(FIRST, "--report", tmp_path)
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_EXISTS")
    assert (tmp_path / "metrics.json").read_bytes() == before
    assert evaluate(FIRST, "--report", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "metrics.json").read_bytes() != before


def test_a_report_that_cannot_be_made_is_told(evaluate, tmp_path):
    (tmp_path / "file").write_text("")
    result = evaluate(FIRST, "--report", tmp_path / "file" / "report")
    assert (result.exit_code, result.stderr.splitlines()[-1].split(": ")[1]) == (2, "OUT_UNWRITABLE")


def test_first_images_alone_are_measured_and_the_rest_of_the_file_left_out(evaluate):
    failed = json.dumps({"schema": 1, "image_id": "000002", "status": "failed"}) + "\n"
    for rest in (SECOND, failed):
        result = evaluate(FIRST + rest, "--first", "1")
        content = json.loads(result.stdout)
        assert (content["images"], content["recall"]["0.95"], content["failed"]) == (1, 1, 0)
        assert result.stderr == ""


def test_missing_and_failed_images_are_noted_and_count_as_empty(evaluate):
    result = evaluate(json.dumps({"schema": 1, "image_id": "000001", "status": "failed"}) + "\n")
    assert result.exit_code == 0
    notes = result.stderr.splitlines()
    assert [note[: len("note: 1 of 2")] for note in notes] == ["note: 1 of 2"] * 2
    assert "missing" in notes[0]
    assert "failed" in notes[1]
    content = json.loads(result.stdout)
    assert (content["failed"], content["missing"], content["recall"]["0.5"]) == (1, 1, 0)


def test_unknown_images_are_an_error_unless_left_out(evaluate):
    text = FIRST + SECOND + line("strange", [0, 0, 5, 5])
    result = evaluate(text)
    assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "IMAGE_UNKNOWN")
    assert evaluate(text, "--ignore-unknown").stdout == evaluate(FIRST + SECOND).stdout


@pytest.mark.parametrize(
    ("text", "flags", "status", "code"),
    [
        (FIRST, ("--first", "0"), 2, "FLAG_VALUE"),
        (FIRST[:-20], (), 3, "PROPOSAL_PARSE"),
        ("", (), 3, "PROPOSAL_EMPTY"),
        (line("000001", [0, 0, 500, 5]), (), 3, "PROPOSAL_BOX"),
        (line("000001", width=300), (), 3, "SIZE_MISMATCH"),
        (FIRST, ("--split", "nosuch"), 3, None),
    ],
)
def test_faults(evaluate, text, flags, status, code):
    result = evaluate(text, *flags)
    assert result.exit_code == status
    assert len(result.stderr.splitlines()) == 1
    assert code is None or result.stderr.split(": ")[1] == code
    assert result.stdout == ""
