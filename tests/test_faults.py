"""docs/faults.md has every fault of the list once, and each test that it names is there."""

import re
from pathlib import Path

import hostile
import hostile_models
import pytest

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs/faults.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_fault_is_there_once_and_in_order():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 97))


@pytest.mark.parametrize(("number", "tests"), [(row[0], row[3]) for row in ROWS])
def test_its_tests_are_there(number, tests):
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", tests)
    assert ", ".join(f"`{file}::{name}`" for file, name in named) == tests
    for file, name in named:
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text("utf-8"), re.MULTILINE), f"{file}::{name}"


def test_as_many_hostile_files_are_made_as_the_page_says(tmp_path):
    images = len({*hostile.fill_folder(tmp_path), *hostile.ODD}) + len(hostile.odd_names())
    models = len(hostile_models.CONTAINERS) + len(hostile_models.CARDS) + 1  # and the pickle with code
    assert f"{images} image files and file names, {models} weights files and cards" in PAGE
