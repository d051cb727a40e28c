"""Forty damaged files for every parser; `make fuzz` goes on for as long as it is told."""

import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from mutations import mutants

from googlenet_rcnn.cli.boundary import one_line
from googlenet_rcnn.core.errors import ProjectError

RUNS = 40
RUN = Path(__file__).with_name("run.py")
SUPPORT = RUN.parents[1] / "support"
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_give_a_value_or_an_error_of_ours(name):
    parse, seeds = TARGETS[name]
    for number, data in enumerate(islice(mutants(seeds(), seed=0), RUNS)):
        message = ""
        try:
            parse(data)
        except ProjectError as error:
            message = one_line(str(error))
        assert len(message) < 2000, (number, message)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_themselves_are_parsed_and_some_are_good(name):
    parse, seeds = TARGETS[name]
    good = 0
    for data in seeds():
        try:
            parse(data)
            good += 1
        except ProjectError:
            pass
    assert good >= 1


def test_mutants_are_the_same_for_the_same_seed_and_differ_from_what_they_came_from():
    seeds = [b"some text of a file", b"another"]
    first, second = (list(islice(mutants(seeds, seed=3), 200)) for _ in range(2))
    assert first == second != list(islice(mutants(seeds, seed=4), 200))
    assert len({one for one in first if one not in seeds}) > 150
    assert all(len(one) <= 9 for one in islice(mutants(seeds, 0, most=9), 200))


def fuzz(*arguments, code=""):
    """Runs run.py as a process, with `code` before it."""
    head = f"import runpy, sys\nsys.path.insert(0, {str(SUPPORT)!r})\n"
    source = f"{head}{code}\nrunpy.run_path({str(RUN)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", source, *arguments], capture_output=True, text=True, check=False)


BY_CHANCE = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "atheris" else find(name)
sys.argv[0] = "run.py"
"""


def test_inputs_that_break_the_law_are_kept(tmp_path):
    broken = "import fuzz_targets as f\nf.TARGETS['labels'] = f.Target(lambda data: 1 / 0, lambda: [b'seed'])"
    (tmp_path / "labels").mkdir()
    told = fuzz("--one", "labels", "--seconds", "9", "--corpus", str(tmp_path), code=BY_CHANCE + broken)
    assert told.returncode != 0
    assert "ZeroDivisionError" in told.stderr
    assert (tmp_path / "labels" / "broken").is_file()


def test_a_run_tells_how_many_inputs_it_tried(tmp_path):
    (tmp_path / "labels").mkdir()
    told = fuzz("--one", "labels", "--seconds", "1", "--corpus", str(tmp_path), code=BY_CHANCE)
    assert told.returncode == 0, told.stderr
    assert int(re.fullmatch(r"Done (\d+) runs\n", told.stdout)[1]) > 0
    assert list((tmp_path / "labels").iterdir()) == []
