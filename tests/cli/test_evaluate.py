import json

import pytest
from parsed_page import ParsedPage
from shared_data import SHARED, needs_shared
from tiny_voc import annotation, devkit, thing


@pytest.fixture
def data(tmp_path):
    """Two images: a cat in the first, a cat and a dog in the second."""
    xml = {
        "000001": annotation(thing("cat", (1, 1, 50, 50))),
        "000002": annotation(thing("cat", (11, 11, 60, 60)), thing("dog", (101, 1, 150, 50))),
    }
    return devkit(tmp_path / "devkit", xml, split="val")


def line(image_id, *detections, **more):
    found = [{"label": label, "score": score, "box": box} for label, score, box in detections]
    return json.dumps({"schema": 1, "image_id": image_id, "status": "ok", "detections": found} | more) + "\n"


FIRST = line("000001", ("cat", 0.9, [0, 0, 50, 50]))
SECOND = line("000002", ("cat", 0.8, [100, 50, 150, 100]), ("dog", 0.7, [100, 0, 150, 50]))


@pytest.fixture
def evaluate(cli, data, tmp_path):
    def run(text, *flags):
        (tmp_path / "found.jsonl").write_text(text)
        return cli(
            "evaluate", "detections", "--data", data, "--split", "val", "--detections", tmp_path / "found.jsonl", *flags
        )

    return run


@pytest.mark.parametrize(("rule", "cat"), [("voc07", 6 / 11), ("voc10", 0.5)])
def test_mean_average_precision_worked_out_by_hand(evaluate, rule, cat):
    """One of two cats is found first, then a false one; the dog is found: AP of 6/11 or 1/2, and of 1."""
    result = evaluate(FIRST + SECOND, "--rule", rule)
    assert (result.exit_code, result.stderr) == (0, "")
    content = json.loads(result.stdout)
    assert (content["rule"], content["images"]) == (rule, 2)
    assert content["ap"]["cat"] == pytest.approx(cat)
    assert content["ap"]["dog"] == 1
    assert content["ap"]["car"] is None
    assert len(content["ap"]) == 20
    assert content["map"] == pytest.approx((cat + 1) / 2)


def test_report_gets_the_numbers_and_the_console_a_table(evaluate, tmp_path):
    result = evaluate(FIRST + SECOND, "--report", tmp_path / "new" / "report", "--bootstrap", "20")
    assert result.exit_code == 0
    content = json.loads((tmp_path / "new" / "report" / "metrics.json").read_text())
    assert set(content) == {"rule", "images", "map", "ap", "map_interval", "errors"}
    assert content["errors"]["kinds"]["background"] == 1
    assert "cat" in result.stdout
    assert f"{content['map']:.4f}" in result.stdout


def test_report_is_a_page_with_the_same_numbers(evaluate, tmp_path):
    assert evaluate(FIRST + SECOND, "--report", tmp_path / "report").exit_code == 0
    page = ParsedPage((tmp_path / "report" / "report.html").read_text())
    content = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert page.text("h1") == ["found.jsonl on devkit val"]
    assert page.text("dd")[0] == f"{content['map']:.4f}"
    assert all(address.startswith(("#", "data:")) for address in page.addresses())
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["metrics.json", "report.html"]


def test_equal_input_gives_equal_bytes(evaluate, tmp_path):
    for name in ("a", "b"):
        assert evaluate(FIRST + SECOND, "--report", tmp_path / name, "--bootstrap", "20").exit_code == 0
    for name in ("metrics.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("there", ["metrics.json", "report.html"])
def test_report_is_kept_unless_overwritten(evaluate, tmp_path, there):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / there).write_text("before")
    result = evaluate(FIRST, "--report", folder)
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_EXISTS")
    assert (folder / there).read_text() == "before"
    assert evaluate(FIRST, "--report", folder, "--overwrite").exit_code == 0
    assert (folder / there).read_text() != "before"


@pytest.mark.parametrize("rule", ["voc10", "ilsvrc", "coco"])
def test_every_rule_is_reached_and_reports(evaluate, tmp_path, rule):
    result = evaluate(FIRST + SECOND, "--rule", rule, "--report", tmp_path / "report")
    assert (result.exit_code, result.stderr) == (0, "")
    content = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (content["rule"], content["images"], content["ap"]["dog"]) == (rule, 2, 1)
    page = ParsedPage((tmp_path / "report" / "report.html").read_text())
    assert page.text("dd")[:2] == [f"{content['map']:.4f}", rule]
    assert ("AP75" in page.text("dt")) == (rule == "coco")


def test_groups_of_similar_classes_can_be_given(evaluate, tmp_path):
    taken = FIRST + line("000002", ("dog", 0.9, [10, 10, 60, 60]))
    for name, groups in (("voc", []), ("own", ["--similar", "cat, car", "--similar", "dog,bus"])):
        assert evaluate(taken, "--report", tmp_path / name, *groups).exit_code == 0
    types = [
        json.loads((tmp_path / name / "metrics.json").read_text())["errors"]["top_false_positives"]
        for name in ("voc", "own")
    ]
    assert [(one["similar"], one["other"]) for one in types] == [(1, 0), (0, 1)]
    result = evaluate(taken, "--similar", "cat,wolf")
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "CLASS_UNKNOWN")
    assert "wolf" in result.stderr


def test_boxes_outside_and_inside_out_are_noted_and_count_as_written(evaluate, tmp_path):
    odd = line("000001", ("cat", 0.9, [0, 0, 50, 50]), ("cat", 0.95, [60, 60, 50, 50]), ("cat", 0.5, [-9, 0, 300, 9]))
    result = evaluate(odd + SECOND, "--rule", "voc10", "--report", tmp_path / "report")
    assert result.exit_code == 0
    assert "note: 1 of 5 detections leave their image; they count as written\n" in result.stderr
    assert "note: 1 of 5 detections have x2 <= x1" in result.stderr
    # One of two cats is found, behind a box that finds nothing: AP 1/2 * 1/2.
    content = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert content["ap"]["cat"] == pytest.approx(0.25)
    page = ParsedPage((tmp_path / "report" / "report.html").read_text())
    assert len([text for text in page.text("p") if "of 5 detections" in text]) == 2


def test_first_images_alone_are_scored_and_the_rest_of_the_file_left_out(evaluate):
    content = json.loads(evaluate(FIRST + SECOND, "--first", "1").stdout)
    assert (content["images"], content["map"], content["ap"]["dog"]) == (1, 1, None)


def test_missing_and_failed_images_are_noted_and_count_as_empty(evaluate):
    result = evaluate(line("000001", status="failed"))
    assert result.exit_code == 0
    notes = result.stderr.splitlines()
    assert [note[: len("note: 1 of 2")] for note in notes] == ["note: 1 of 2"] * 2
    assert "missing" in notes[0]
    assert "failed" in notes[1]
    assert json.loads(result.stdout)["map"] == 0


def test_image_of_another_split_is_refused_unless_ignored(evaluate):
    result = evaluate(FIRST + line("other"))
    assert result.exit_code == 3
    assert result.stderr.startswith("error: IMAGE_UNKNOWN: ")
    assert evaluate(FIRST + line("other"), "--ignore-unknown").exit_code == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rubbish\n", "DET_FORMAT"),
        (FIRST[:-9], "DET_PARSE"),
        (FIRST + FIRST, "DUPLICATE_ID"),
        (line("000001", ("wolf", 0.5, [0, 0, 1, 1])), "CLASS_UNKNOWN"),
    ],
)
def test_bad_file_is_one_line_and_status_3(evaluate, text, code):
    result = evaluate(text)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error: {code}: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--rule", "none"], "RULE_UNKNOWN"),
        (["--first", "0"], "FLAG_VALUE"),
        (["--first", "-1"], "FLAG_VALUE"),
        (["--bootstrap", "-1"], "FLAG_VALUE"),
        (["--bootstrap", "9", "--rule", "coco"], "FLAG_VALUE"),
    ],
)
def test_wrong_flags_are_status_2(evaluate, flags, code):
    result = evaluate(FIRST, *flags)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {code}: ")


def test_missing_data_split_and_file_are_status_3(cli, data, tmp_path):
    for root, split, code in ((tmp_path / "none", "val", "DATA_MISSING"), (data, "no", "SPLIT_MISSING")):
        result = cli(
            "evaluate", "detections", "--data", root, "--split", split, "--detections", tmp_path / "none.jsonl"
        )
        assert (result.exit_code, result.stderr.split(": ")[1]) == (3, code)
    result = cli("evaluate", "detections", "--data", data, "--split", "val", "--detections", tmp_path / "none.jsonl")
    assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "DET_UNREADABLE")


def test_report_folder_is_checked_before_any_work(cli, evaluate, data, tmp_path):
    """FAULTS 82: the result file is not even looked for."""
    (tmp_path / "file").write_text("")
    command = ["evaluate", "detections", "--data", data, "--split", "val", "--detections", tmp_path / "none.jsonl"]
    for place, code in (("file", "OUT_UNWRITABLE"), ("file/below", "OUT_UNWRITABLE"), ("devkit/out", "OUT_IN_DATA")):
        result = cli(*command, "--report", tmp_path / place)
        assert (result.exit_code, result.stderr.split(": ")[1]) == (2, code)
    assert cli(*command, "--report", tmp_path / "new").exit_code == 3
    assert not (tmp_path / "new").exists()


@needs_shared
def test_the_ilsvrc_folder_works_as_it_is(cli, tmp_path):
    """Annotations in an archive, image numbers, blacklist, predictions outside the image and inside out."""
    folder = SHARED / "ilsvrc_det"
    result = cli(
        "evaluate", "detections", "--data", folder, "--split", "val2", "--rule", "ilsvrc",
        "--detections", folder / "demo_val2_predictions.txt", "--report", tmp_path / "report",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    content = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (content["images"], len(content["ap"])) == (9917, 200)
    golden = (SHARED / "golden" / "ilsvrc_det_val2_demo_ap_first50.tsv").read_text().splitlines()
    rows = [row.split("\t") for row in golden if row and row.split("\t")[0].isdigit()]
    assert len(rows) == 50
    for row in rows:
        assert content["ap"][row[2]] == pytest.approx(float(row[4]), abs=1e-9)
    assert (tmp_path / "report" / "report.html").stat().st_size < 3_000_000


def test_rows_of_detect_are_read_as_they_are(detect, picture, cli, tmp_path):
    """Detection writes and evaluation reads the same file; classes that the data lacks are refused."""
    xml = {"p": annotation(thing("cat", (1, 1, 20, 10)))}
    devkit(tmp_path / "kit", xml, split="val")
    detect(picture(tmp_path / "p.png"), "--out", tmp_path / "out.jsonl")
    result = cli(
        "evaluate", "detections", "--data", tmp_path / "kit", "--split", "val", "--detections", tmp_path / "out.jsonl"
    )
    assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "CLASS_UNKNOWN")
