import json

import pytest
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
    assert set(content) == {"rule", "images", "map", "ap", "map_interval"}
    assert "cat" in result.stdout
    assert f"{content['map']:.4f}" in result.stdout


def test_report_is_kept_unless_overwritten(evaluate, tmp_path):
    assert evaluate(FIRST + SECOND, "--report", tmp_path).exit_code == 0
    before = (tmp_path / "metrics.json").read_bytes()
    result = evaluate(FIRST, "--report", tmp_path)
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_EXISTS")
    assert (tmp_path / "metrics.json").read_bytes() == before
    assert evaluate(FIRST, "--report", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "metrics.json").read_bytes() != before


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
        ("rubbish\n", "DET_PARSE"),
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


def test_report_that_cannot_be_written_is_status_2(evaluate, tmp_path):
    (tmp_path / "file").write_text("")
    result = evaluate(FIRST + SECOND, "--report", tmp_path / "file")
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_UNWRITABLE")


def test_rows_of_detect_are_read_as_they_are(detect, picture, cli, tmp_path):
    """Detection writes and evaluation reads the same file; classes that the data lacks are refused."""
    xml = {"p": annotation(thing("cat", (1, 1, 20, 10)))}
    devkit(tmp_path / "kit", xml, split="val")
    detect(picture(tmp_path / "p.png"), "--out", tmp_path / "out.jsonl")
    result = cli(
        "evaluate", "detections", "--data", tmp_path / "kit", "--split", "val", "--detections", tmp_path / "out.jsonl"
    )
    assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "CLASS_UNKNOWN")
