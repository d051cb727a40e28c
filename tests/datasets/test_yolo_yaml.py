from contextlib import suppress

import pytest
from data_faults import code_of
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.yolo_writer import _yaml
from googlenet_rcnn.datasets.yolo_yaml import read_data_yaml


@pytest.mark.parametrize(
    "text",
    [
        "names:\n  0: red fox\n  1: it's\n",
        "names:\n- red fox\n- it's\n",
        "names:\n  - 'red fox'\n  - \"it's\"\n",
        "names: [red fox, 'it''s']\n",
        "names: ['red fox', \"it's\"]",
        "names: ['red fox',  # the first\n        \"it's\"]\n",
        "names: {0: red fox, 1: it's}\n",
        "names:\r\n  0: red fox  # a comment\r\n\r\n  # another\r\n  1: it's\r\n",
        "'names':\n  - red fox\n  - it's",
        'names: ["red fox", it\'s]',
    ],
)
def test_every_way_to_list_the_names(text):
    whole = f"# YOLO\n---\npath: ../data # where\ntrain: images/train\n{text}"
    found = read_data_yaml(whole, "data.yaml")
    assert found == {"path": "../data", "train": "images/train", "names": ["red fox", "it's"]}


def test_bare_names_may_hold_marks():
    text = "names:\n  0: cup, mug or [bowl]\n  1: ratio 1:2\n  2: a#b\n"
    assert read_data_yaml(text, "f")["names"] == ["cup, mug or [bowl]", "ratio 1:2", "a#b"]


def test_other_keys_are_passed_over():
    text = "nc: 2\nkpt_shape: [17, 3]\nroboflow:\n  workspace: x\n  tag: !!a\nnames: [a]\n"
    text += "download: |\n\timport os # &x *y\n  !tag\n"
    assert read_data_yaml(text, "f") == {"nc": "2", "kpt_shape": "[17, 3]", "roboflow": "", "names": ["a"]}
    assert read_data_yaml("", "f") == {}


# FAULTS 81
@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nnames: !!python/object/apply:os.system ['x']\n", "YAML_UNSUPPORTED", 2),
        ("names:\n  0: !!python/name:os.system\n", "YAML_UNSUPPORTED", 2),
        ("names: &all [a]\n", "YAML_UNSUPPORTED", 1),
        ("names:\n  - &a cat\n  - *a\n", "YAML_UNSUPPORTED", 2),
        ("train: *where\n", "YAML_UNSUPPORTED", 1),
        ("names: [a, *a]\n", "YAML_UNSUPPORTED", 1),
        ("names: |\n  a\n", "YAML_UNSUPPORTED", 1),
        ("names:\n\t0: a\n", "YAML_UNSUPPORTED", 2),
        ("a: 1\n\tb: 2\n\nnames: [a]\n\tb", "YAML_UNSUPPORTED", 5),
        ("\tnames: [a]\n", "YAML_UNSUPPORTED", 1),
        ("names: [a\n", "YAML_INVALID", 1),
        ("names: [a, [b]]\n", "YAML_INVALID", 1),
        ("names: ['a, b]\n", "YAML_INVALID", 1),
        ("names:\n  1: a\n  2: b\n", "YAML_INVALID", 1),
        ("names:\n  0: a\n  2: b\n", "YAML_INVALID", 1),
        ("names:\n  0: a\n  b\n", "YAML_INVALID", 1),
        ("names:\n  - a: b\n", "YAML_INVALID", 2),
        ("names:\n  cat: 0\n", "YAML_INVALID", 2),
        ("names:\n  - ''\n", "YAML_INVALID", 2),
        ("names: [a]\nnames: [b]\n", "YAML_INVALID", 2),
        ("<html>\n", "YAML_INVALID", 1),
        ("{names: [a]}\n", "YAML_INVALID", 1),
        ("- a\n", "YAML_INVALID", 1),
    ],
)
def test_what_is_refused_has_its_line(text, code, line):
    assert code_of(lambda: read_data_yaml(text, "data.yaml"), f"data.yaml:{line}:") == code


names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=12)


@settings(max_examples=40)
@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_names_survive_the_writer(listed):
    assert read_data_yaml(_yaml(tuple(listed)), "data.yaml")["names"] == listed


@given(st.text(max_size=80))
def test_no_text_ends_otherwise_than_in_an_answer_or_a_code(text):
    with suppress(DataError):
        assert "names" not in read_data_yaml(text, "f") or "names" in text
