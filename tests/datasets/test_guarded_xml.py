"""XML that attacks: bounded in size and depth, nothing expanded, nothing fetched."""

import pytest
from data_faults import code_of

from googlenet_rcnn.datasets.guarded_xml import parse_xml

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


def test_a_sound_document():
    root = parse_xml("<?xml version='1.0'?><a><b c='1'>&lt;é</b></a>".encode(), "f", 1000)
    assert (root.tag, root[0].get("c"), root[0].text) == ("a", "1", "<é")
    assert parse_xml("<a>é</a>".encode("utf-16"), "f", 1000).text == "é"


# FAULTS 43
@pytest.mark.parametrize(
    ("text", "part"),
    [
        (LAUGHS, "f:1: a DOCTYPE"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "DOCTYPE"),
        ('\n<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1/e">%e;]><x/>', "f:2: "),
        ("<a>&b;</a>", "undefined entity"),
        ("<a><b></a>", "f:1:8: not well-formed"),
        ("", "f:1:0: "),
        ("<a>" * 33, "nested"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "f: not XML"),
        (f"<a>{'x' * 1000}</a>", "1000 bytes"),
    ],
)
def test_what_is_refused(text, part):
    assert code_of(lambda: parse_xml(text.encode(), "f", 1000), part) == "ANN_PARSE"
