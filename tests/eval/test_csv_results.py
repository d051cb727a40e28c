import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_detections import table
from result_formats import code_of, images

from googlenet_rcnn.eval.csv_results import read_csv, write_csv
from googlenet_rcnn.eval.results import read_results

HEADER = "image_id,label,score,x1,y1,x2,y2\n"
DATA = images(["a", "b"])


def test_cells_are_half_open_pixels(tmp_path):
    path = tmp_path / "found.csv"
    path.write_text("\ufeff" + HEADER + 'b,dog,0.5,1,2,30.5,40\r\n\r\n"a",cat,-3,-5,0,-9,1e2\n')
    results = read_results(path, DATA)
    found = results.table
    assert (found.image_index.tolist(), found.label.tolist(), found.score.tolist()) == ([1, 0], [1, 0], [0.5, -3])
    assert found.boxes.tolist() == [[1, 2, 30.5, 40], [-5, 0, -9, 100]]
    assert (results.missing, results.failed, results.unknown) == (0, 0, 0)


ODD = ["=1+1", "+x", "-rf", "@sum", "'quoted", "'=both", "\ttab", "two\nlines", 'a "b", c', "plain", "'"]


def test_no_cell_is_a_formula_and_each_is_read_back(tmp_path):  # FAULTS 89
    path = tmp_path / "found.csv"
    odd = images(ODD, names=[f"={name}" for name in ODD])
    before = table([(i, i, 0.5, (-1, 0, 1, 1)) for i in range(len(ODD))])
    write_csv(before, odd, path)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row[:2])
    assert {row[3] for row in rows} == {"-1.0"}  # a number stays a number
    after = read_csv(path, odd).table
    assert after.image_index.tolist() == after.label.tolist() == list(range(len(ODD)))


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: text.replace("\0", "x")))
def test_any_name_survives(tmp_path_factory, name):  # FAULTS 89
    path = tmp_path_factory.getbasetemp() / "any.csv"
    data = images([name], names=[name])
    write_csv(table([(0, 0, 1, (0, 0, 1, 1))]), data, path, overwrite=True)
    assert len(read_csv(path, data).table) == 1


def test_names_of_other_programs_are_taken_as_they_are(tmp_path):
    path = tmp_path / "found.csv"
    path.write_text(HEADER + "'tis,=x,1,0,0,1,1\n")
    assert len(read_csv(path, images(["'tis"], names=["=x"])).table) == 1


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("image_id,label,x1,y1,x2,y2,score\n", "DET_SCHEMA", "found.csv:1: the header must be image_id,label,score"),
        (HEADER + "a,cat,1,0,0,1,1\na,cat,1,0,0,1\n", "DET_PARSE", "found.csv:3: 6 cells"),
        (HEADER + "a,cat,1,0,0,1,1\n\na,cat,1,0,zero,1,1\n", "DET_PARSE", "found.csv:4: y1 is 'zero', not a number"),
        (HEADER + "a,cat,nan,0,0,1,1\n", "DET_NOT_FINITE", "found.csv:2"),  # FAULTS 4
        (HEADER + "a,cat,1,0,0,1,inf\n", "DET_NOT_FINITE", "found.csv:2"),  # FAULTS 30
        (HEADER + "a,Cat,1,0,0,1,1\n", "CLASS_UNKNOWN", "'Cat' in 1 rows"),  # FAULTS 37
        (HEADER + "c,cat,1,0,0,1,1\n", "IMAGE_UNKNOWN", "(c, first"),  # FAULTS 40
        (HEADER.encode() + b"\xff,cat,1,0,0,1,1\n", "DET_PARSE", "not UTF-8"),  # FAULTS 43
        (HEADER + '"' + "a" * 200_000, "DET_PARSE", "not CSV"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, code, part):
    path = tmp_path / "found.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert code_of(lambda: read_csv(path, DATA), part) == code


def test_the_line_is_right_far_into_the_file_and_after_cells_of_two_lines(tmp_path):
    path = tmp_path / "found.csv"
    path.write_text(HEADER + '"two\nlines",cat,1,0,0,1,1\n' + "a,cat,1,0,0,1,1\n" * 9000 + "a,cat,1,0,0,1,x\n")
    data = images(["a", "two\nlines"])
    assert code_of(lambda: read_csv(path, data), "found.csv:9004: y2 is 'x'") == "DET_PARSE"
