import pytest

from googlenet_rcnn.core.numerals import whole_number


@pytest.mark.parametrize(("word", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_digits_are_a_number(word, number):
    assert whole_number(word) == number


@pytest.mark.parametrize("word", ["", "-1", "+1", "1_0", " 1", "1.0", "0x1", "²", "one", "9" * 19, "9" * 5000])
def test_nothing_else_is(word):
    assert whole_number(word) is None
