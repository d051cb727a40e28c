"""Fields of JSON objects, each told by its path when it is of the wrong kind."""

from pathlib import Path

import pytest
from data_faults import code_of

from googlenet_rcnn.datasets.json_fields import JsonFields

FILE = Path("x.json")
SOUND = {"list": [1], "text": " a ", "integer": 3, "number": 2.5, "object": {"number": 1}}


def test_sound_fields():
    fields = JsonFields(FILE, "rows[2]", SOUND)
    found = {key: getattr(fields, key)(key) for key in ("list", "text", "integer", "number")}
    assert found == {"list": [1], "text": "a", "integer": 3, "number": 2.5}
    assert fields.object("object").number("number") == 1.0
    assert fields.object("object").path("number") == "rows[2].object.number"


# FAULTS 30, 31
@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("list", {}, "ANN_BAD_FIELD"),
        ("text", "  ", "ANN_BAD_FIELD"),
        ("text", 3, "ANN_BAD_FIELD"),
        ("integer", 3.0, "ANN_BAD_FIELD"),
        ("integer", True, "ANN_BAD_FIELD"),
        ("number", "3", "ANN_BAD_FIELD"),
        ("number", True, "ANN_BAD_FIELD"),
        ("number", float("inf"), "ANN_BAD_NUMBER"),
        ("number", 10**400, "ANN_BAD_NUMBER"),
        ("object", [], "ANN_BAD_FIELD"),
    ],
)
def test_other_kinds_are_refused_with_their_path(kind, value, code):
    fields = JsonFields(FILE, "rows[2]", {"key": value})
    assert code_of(lambda: getattr(fields, kind)("key"), "x.json: rows[2].key: ") == code
    assert code_of(lambda: getattr(fields, kind)("none"), "x.json: rows[2].none: missing") == "ANN_MISSING_FIELD"


def test_what_is_no_object_has_no_fields():
    assert code_of(lambda: JsonFields(FILE, "", [3]), "x.json: expected an object, found [3]") == "ANN_BAD_FIELD"
