import pytest
from parsed_page import ParsedPage

from googlenet_rcnn.eval.html_page import colour_key, data_table, page, section
from googlenet_rcnn.eval.svg_charts import split_bar

EVIL = '<svg onload="alert(1)"> & <script>alert(2)</script>'


def test_page_is_whole_and_its_links_lead_to_its_sections():
    read = ParsedPage(page("Title", [("one", "First", "<p>1</p>"), ("two", "Second", "<p>2</p>")], "<p>head</p>"))
    assert read.text("h1") == read.text("title") == ["Title"]
    assert read.text("h2") == ["First", "Second"]
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in read.all("a")} == {"one", "two"} <= ids
    assert {part["aria-labelledby"] for part in read.all("section")} <= ids
    assert read.all("html")[0]["lang"] == "en"


def test_page_may_load_nothing():
    policy = [meta["content"] for meta in ParsedPage(page("t", [], "")).all("meta") if "http-equiv" in meta]
    assert policy[0].split("; ")[:2] == ["default-src 'none'", "img-src data:"]
    assert "http" not in policy[0]


def test_what_comes_from_outside_is_escaped_everywhere():
    """FAULTS 90: names with markup in them, even with that of our own charts, are text."""
    table = data_table(EVIL, (EVIL, EVIL), [(EVIL, EVIL)], (EVIL, EVIL))
    for text in (page(EVIL, [("a", EVIL, "")], ""), section("a", EVIL, ""), table, colour_key([EVIL], ["#fff"])):
        read = ParsedPage(text)
        assert not any("alert" in script for script in read.text("script"))
        assert not read.all("svg")
        assert any(EVIL in one for _, one in read.texts)


def test_cells_show_numbers_for_people_and_keep_the_exact_ones_for_sorting():
    read = ParsedPage(data_table("t", ("name", "x"), [("a", 0.123456), ("b", 12345), ("c", float("nan")), ("d", "5%")]))
    assert read.text("td") == ["0.1235", "12,345", "–", "5%"]
    assert [cell.get("data-value") for cell in read.all("td")] == ["0.123456", "12345", "-1", None]
    assert read.text("th") == ["name", "x", "a", "b", "c", "d"]
    assert [head["scope"] for head in read.all("th")] == ["col", "col", "row", "row", "row", "row"]


def test_own_charts_stand_in_cells_as_they_are():
    read = ParsedPage(data_table("t", ("a", "b"), [("x", split_bar(EVIL, [1], 2))]))
    assert len(read.all("svg")) == 1
    assert read.text("title") == [EVIL]


@pytest.mark.parametrize("sortable", [True, False])
def test_table_without_rows(sortable):
    read = ParsedPage(data_table("t", ("a", "b"), [], sortable=sortable))
    assert (read.text("th"), read.all("td")) == (["a", "b"], [])
    assert read.all("table")[0].get("class") == ("sortable" if sortable else None)
    assert read.all("div")[0] == {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": "t"}
