"""Errors that end a reading, or are collected while it goes on."""

import pickle

import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings, located


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("", "a.xml: torn"),
        ("line 3", "a.xml:3: torn"),
        ("line 3:7", "a.xml:3:7: torn"),
        ("box 2", "a.xml: box 2: torn"),
    ],
)
def test_an_error_at_a_place_says_file_place_and_reason(place, shown):
    error = AnnotationError("ANN_PARSE", "a.xml", place, "torn")
    assert (error.message, str(error)) == (shown, f"ANN_PARSE: {shown}")
    assert Finding.of(error) == Finding("ANN_PARSE", "a.xml", place, "torn", "error")
    assert Finding.of(pickle.loads(pickle.dumps(error))) == Finding.of(error)
    assert shown == f"{located('a.xml', place)}: torn"


def test_an_error_without_a_place_gets_the_file_it_is_about():
    error = DataError("IMG_EMPTY", "a.jpg: the file has 0 bytes")
    assert Finding.of(error, "a.jpg") == Finding("IMG_EMPTY", "a.jpg", "", "the file has 0 bytes", "error")
    assert Finding.of(error) == Finding("IMG_EMPTY", "", "", "a.jpg: the file has 0 bytes", "error")


def test_collected_errors_become_findings_and_the_block_ends():
    findings, reached = Findings(collected=True), []
    for number in range(3):
        with findings.guard("f"):
            reached.append(number)
            if number == 1:
                raise DataError("X", "f: bad")
            reached.append(-number)
    findings.refuse(AnnotationError("Y", "f", "line 1", "worse"))
    assert reached == [0, 0, 1, 2, -2]
    assert findings == [Finding("X", "f", "", "bad", "error"), Finding("Y", "f", "line 1", "worse", "error")]
    assert findings.refused == 2


def test_otherwise_the_first_error_is_raised_as_it_is():
    findings, error = Findings(), DataError("X", "bad")
    with pytest.raises(DataError) as caught:
        findings.refuse(error)
    assert caught.value is error
    with pytest.raises(DataError), findings.guard():
        raise error
    assert (findings, findings.refused) == ([], 0)


def test_what_is_no_fault_of_the_data_is_never_collected():
    for collected in (False, True):
        with pytest.raises(ZeroDivisionError), Findings(collected).guard():
            raise ZeroDivisionError
