"""The schemas in docs/schema hold for what the commands write, and for nothing less or more."""

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"


def validator(name):
    schema = json.loads((SCHEMAS / f"{name}.1.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def found(cli, detect, album, classifier_file, rows, tmp_path):
    """Rows of each command: of good images, of one with a wrong suffix, and of one that is none."""
    (album / "d.jpg").write_bytes((album / "a.png").read_bytes())
    (album / "e.jpg").write_bytes(b"nothing")

    def run(name):
        if name == "detections":
            return rows(detect(album).stdout, keep_ms=True)
        if name == "proposals":
            return rows(cli("propose", album, "--preset", "single", "--threads", "1").stdout, keep_ms=True)
        flags = ("--weights", classifier_file, "--runtime", "torch", "--threads", "1")
        return rows(cli("classify", album, *flags).stdout, keep_ms=True)

    return run


@pytest.mark.parametrize(
    ("name", "holds"), [("detections", "detections"), ("proposals", "boxes"), ("classification", "top")]
)
def test_rows_are_as_their_schema_says(found, name, holds):
    valid, rows = validator(name), found(name)
    assert [row["status"] for row in rows] == ["ok"] * 4 + ["failed"]
    assert rows[3]["warnings"] == ["IMG_EXT_MISMATCH"]
    assert rows[0][holds]
    for row in rows:
        valid.validate(row)
    for row in (rows[0], rows[4]):
        for field in row:
            with pytest.raises(ValidationError):
                valid.validate({key: value for key, value in row.items() if key != field})
        for change in ({"schema": 2}, {"another": 1}, {"status": "good"}, {"path": None}, {holds: None}):
            with pytest.raises(ValidationError):
                valid.validate(row | change)


def test_a_box_has_four_corners_and_a_score_is_a_probability(found):
    valid = validator("detections")
    row = found("detections")[0]
    for field, value in (("box", [1, 2, 3]), ("box", [0, 0, 1, "2"]), ("score", 1.5), ("label", 3)):
        wrong = copy.deepcopy(row)
        wrong["detections"][0][field] = value
        with pytest.raises(ValidationError):
            valid.validate(wrong)


def test_the_page_names_every_schema():
    page = (SCHEMAS.parent / "rows.md").read_text("utf-8")
    assert all(f"schema/{path.name}" in page for path in SCHEMAS.iterdir())
