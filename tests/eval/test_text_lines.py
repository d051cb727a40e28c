import numpy as np
import pytest
from result_formats import code_of

from googlenet_rcnn.eval import text_lines
from googlenet_rcnn.eval.text_lines import line_blocks, text_rows


def test_blocks_are_whole_lines_with_their_numbers_wherever_they_are_cut(tmp_path, monkeypatch):
    path = tmp_path / "rows.txt"
    path.write_bytes(b"\xef\xbb\xbfa 1\n\n  \r\nb 2\r\nc\t3\nd 4")
    for size in range(1, 30):
        monkeypatch.setattr(text_lines, "_BLOCK", size)
        rows = list(text_rows(path, "name value"))
        assert [line for block in rows for line in block.lines] == [1, 4, 5, 6]
        assert [word for block in rows for word in block.columns[0]] == [b"a", b"b", b"c", b"d"]
        assert np.concatenate([block.floats(1) for block in rows]).ravel().tolist() == [1, 2, 3, 4]
        assert b"".join(line for _, lines in line_blocks(path, "DET") for line in lines) == path.read_bytes()[3:]


def test_the_line_of_a_fault_is_right_wherever_the_file_is_cut(tmp_path, monkeypatch):
    path = tmp_path / "rows.txt"
    path.write_text("a 1\n\n" * 20 + "b x\n" + "a 1\n")
    for size in (1, 7, 50, 1000):
        monkeypatch.setattr(text_lines, "_BLOCK", size)
        for read in (lambda rows: rows.floats(1), lambda rows: rows.integers(1)):
            assert code_of(lambda read=read: [read(rows) for rows in text_rows(path, "a b")], "rows.txt:41: b is 'x'")
    path.write_text("a 1\n\n" * 20 + "b 1 2\n")
    assert code_of(lambda: list(text_rows(path, "a b")), "rows.txt:41: a row is `a b`, this is 'b 1 2'") == "DET_PARSE"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_said(tmp_path, encoding):  # FAULTS 43
    path = tmp_path / "rows.txt"
    path.write_bytes("\ufeffa 1\n".encode(encoding))
    assert code_of(lambda: list(line_blocks(path, "X")), "UTF-16") == "X_PARSE"


def test_a_line_without_end_does_not_fill_the_memory(tmp_path, monkeypatch):  # FAULTS 43
    path = tmp_path / "rows.txt"
    path.write_text("a" * 5000)
    monkeypatch.setattr(text_lines, "_BLOCK", 100)
    monkeypatch.setattr(text_lines, "_LONGEST", 1000)
    assert code_of(lambda: list(line_blocks(path, "X")), "longer than 1000 bytes") == "X_PARSE"
    path.write_text("a" * 900 + "\n")
    assert len(list(line_blocks(path, "X"))) == 1
    assert code_of(lambda: list(line_blocks(tmp_path / "none", "X")), "none") == "X_UNREADABLE"
