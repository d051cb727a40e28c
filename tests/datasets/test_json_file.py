import codecs
import os

import pytest
from data_faults import code_of

from googlenet_rcnn.datasets import json_file
from googlenet_rcnn.datasets.json_file import read_json

TEXT = '{"a": ["é", 1.5]}'


# FAULTS 43
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_any_unicode_with_or_without_a_mark(tmp_path, encoding):
    path = tmp_path / "a.json"
    path.write_bytes(TEXT.encode(encoding))
    assert read_json(path) == {"a": ["é", 1.5]}


# FAULTS 30, 43
@pytest.mark.parametrize(
    ("data", "code", "part"),
    [
        (b'{"a":\n  1,}', "ANN_PARSE", "a.json:2:5"),
        (b"", "ANN_PARSE", "a.json:1:1"),
        (codecs.BOM_UTF8, "ANN_PARSE", "a.json"),
        (b'{"a": "\xff"}', "ANN_PARSE", "byte 7"),
        (b"[" * 200_000, "ANN_PARSE", "nested"),
        (b'{"a":' * 200_000, "ANN_PARSE", "nested"),
        (b'{"a": NaN}', "ANN_BAD_NUMBER", "NaN"),
        (b'{"a": [-Infinity]}', "ANN_BAD_NUMBER", "-Infinity"),
        (b"9" * 5000, "ANN_PARSE", "a.json"),
        (b'{"a": 1} trailing', "ANN_PARSE", "a.json:1:10"),
    ],
)
def test_what_is_no_json(tmp_path, data, code, part):
    path = tmp_path / "a.json"
    path.write_bytes(data)
    assert code_of(lambda: read_json(path), part) == code


# FAULTS 43: refused by its size, before a byte is read.
def test_two_gigabytes(tmp_path):
    path = tmp_path / "a.json"
    path.touch()
    os.truncate(path, 2 * 2**30)
    assert code_of(lambda: read_json(path), str(json_file._MAX_BYTES)) == "ANN_TOO_LARGE"


def test_files_that_are_not_there(tmp_path):
    assert code_of(lambda: read_json(tmp_path / "a.json"), "a.json") == "ANN_UNREADABLE"
    assert code_of(lambda: read_json(tmp_path), "directory") == "ANN_UNREADABLE"
