from googlenet_rcnn.cli.markdown import markdown


def test_columns_line_up_as_plain_text():
    lines = markdown(["name", "s"], [["a", "1.5"], ["longer name", "12.25"]]).splitlines()
    assert lines == [
        "| name        |     s |",
        "|-------------|------:|",
        "| a           |   1.5 |",
        "| longer name | 12.25 |",
    ]


def test_a_table_without_rows_is_its_head():
    assert markdown(["name", "s"], []).splitlines() == ["| name | s |", "|------|--:|"]
