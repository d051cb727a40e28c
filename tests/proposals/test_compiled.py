"""Compiled functions are those of their source, with or without a folder for their machine code."""

import pytest

from googlenet_rcnn.proposals import compiled as module
from googlenet_rcnn.proposals.compiled import compiled, compiled_exact_sums


def total(values):
    result = 0
    for value in values:
        result += value
    return result


@pytest.mark.parametrize("make", [compiled, compiled_exact_sums])
def test_where_nothing_can_be_kept_it_is_compiled_at_each_start(monkeypatch, make) -> None:
    """Numba's word for a package folder and a home that cannot be written."""
    asked = []

    def njit(**options):
        asked.append(options.pop("cache", False))
        if asked[-1]:
            raise RuntimeError("cannot cache function 'total': no locator available for file 'total.py'")
        assert options["nogil"]
        return lambda function: function

    monkeypatch.setattr(module, "njit", njit)
    assert make(total)([1, 2, 3]) == 6
    assert asked == [True, False]
