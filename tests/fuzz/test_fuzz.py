"""A hundred damaged files for every parser; `make fuzz` goes on for as long as it is told."""

from itertools import islice

import pytest
from fuzz_targets import TARGETS
from mutations import mutants

from googlenet_rcnn.cli.boundary import one_line
from googlenet_rcnn.core.errors import ProjectError

RUNS = 100
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
