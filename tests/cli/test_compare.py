import json

import pytest
from tiny_voc import annotation, devkit, thing

BOX = [10, 10, 60, 60]


@pytest.fixture
def data(tmp_path):
    """Twenty images with a cat in each."""
    xml = {f"{number:06d}": annotation(thing("cat", (11, 11, 60, 60))) for number in range(20)}
    return devkit(tmp_path / "devkit", xml, split="val")


@pytest.fixture
def found(tmp_path):
    """Writes a file in which the cats of the first so many images are found."""

    def write(name, right):
        lines = []
        for number in range(20):
            rows = [{"label": "cat", "score": 0.9 - number / 100, "box": BOX}] if number < right else []
            lines.append({"schema": 1, "image_id": f"{number:06d}", "status": "ok", "detections": rows})
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in lines))
        return tmp_path / name

    return write


@pytest.fixture
def compare(cli, data):
    def run(a, b, *flags):
        return cli("evaluate", "compare", a, b, "--data", data, "--split", "val", "--rounds", "200", *flags)

    return run


@pytest.mark.parametrize(
    ("a", "b", "verdict"), [(4, 18, "B is better"), (18, 4, "B is worse"), (9, 10, "no difference shown")]
)
def test_verdict_and_figures_when_piped(compare, found, a, b, verdict):
    result = compare(found("a", a), found("b", b), "--rule", "voc10")
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert (content["verdict"], content["rounds"], content["images"]) == (verdict, 200, 20)
    assert (content["map"]["a"], content["map"]["b"]) == pytest.approx((a / 20, b / 20))
    assert content["ap"]["cat"] == content["map"]
    assert content["ap"]["dog"]["difference"] is None
    assert [line.split()[1] for line in result.stderr.splitlines()] == ["A", "B"]


def test_a_file_against_itself_and_the_seed(compare, found):
    same = json.loads(compare(found("a", 7), found("b", 7)).stdout)
    assert (same["map"]["difference"], same["map"]["low"], same["map"]["high"]) == (0, 0, 0)
    texts = [compare(found("a", 7), found("b", 12), "--seed", seed).stdout for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_on_a_terminal_there_is_a_table_and_a_verdict(process, data, found):
    as_terminal = "import sys; sys.stdout.isatty = lambda: True"
    files = found("a", 4), found("b", 18)
    result = process("evaluate", "compare", *files, "--data", data, "--split", "val", code=as_terminal)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["class", "aeroplane", "bicycle"]
    assert lines[22].startswith("B is better (1000 rounds over 20 images; B was not better in 0.0% of the rounds)")
    assert [line.split()[0] for line in lines if line.endswith(" *")] == ["cat", "mean"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [(["--rule", "coco"], "RULE_UNKNOWN"), (["--rounds", "0"], "FLAG_VALUE"), (["--first", "0"], "FLAG_VALUE")],
)
def test_wrong_flags_are_status_2(compare, found, flags, code):
    result = compare(found("a", 1), found("b", 1), *flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"error: {code}: " in result.stderr


def test_a_bad_file_is_status_3_and_named(compare, found, tmp_path):
    (tmp_path / "bad.jsonl").write_text("rubbish\n")
    result = compare(found("a", 1), tmp_path / "bad.jsonl")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "bad.jsonl" in result.stderr.splitlines()[-1]
