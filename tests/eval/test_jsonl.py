import json

import pytest
from random_detections import table
from result_formats import code_of
from tiny_voc import dataset, truth

from googlenet_rcnn.eval.jsonl import read_jsonl, write_jsonl
from googlenet_rcnn.eval.results import read_results

DATA = dataset([truth()] * 3)


def line(image_id, *detections, status="ok", **extra):
    found = [{"label": label, "score": score, "box": box} for label, score, box in detections]
    return json.dumps({"schema": 1, "image_id": image_id, "status": status, "detections": found} | extra) + "\n"


CAT = ("cat", 0.5, [1.0, 2, 30.5, 40])


def test_jsonl(tmp_path):
    path = tmp_path / "d.jsonl"
    wild = ("dog", -3, [-5, 900, -9, 2])
    path.write_text(line("000002", CAT, wild, warnings=["X"]) + "\n" + line("000000", status="failed", code="X"))
    results = read_results(path, DATA)
    assert (results.missing, results.failed, results.unknown) == (1, 1, 0)
    found = results.table
    assert found.image_index.tolist() == [2, 2]
    assert found.label.tolist() == [0, 1]
    assert found.score.tolist() == [0.5, -3]
    assert found.boxes.tolist() == [[1, 2, 30.5, 40], [-5, 900, -9, 2]]


def test_empty_jsonl(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text("")
    assert read_jsonl(path, DATA).missing == 3
    assert len(read_jsonl(path, DATA).table) == 0


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        (line("000000") + line("000001", CAT)[:-20], "DET_PARSE", "d.jsonl:2: the last line is torn"),  # FAULTS 84
        ("{]\n" + line("000000"), "DET_PARSE", "d.jsonl:1: not JSON"),
        (line("000000") * 2, "DUPLICATE_ID", "d.jsonl:2"),  # FAULTS 39
        (line("000000", schema=2), "DET_SCHEMA", "found 2"),
        ("[1]\n", "DET_SCHEMA", "list"),
        (line(7), "DET_SCHEMA", "image_id"),
        (line("000000", status="fine"), "DET_SCHEMA", "'fine'"),
        (line("000000", detections=None), "DET_SCHEMA", "detections"),
        (line("000000", CAT, ("cat", "high", [1, 2, 3, 4])), "DET_SCHEMA", "detections[1].score"),
        (line("000000", ("cat", 1, [1, 2, 3])), "DET_SCHEMA", "detections[0].box: expected 4 numbers"),  # FAULTS 31
        (line("000000", ("cat", 1, [1, 2, "3", 4])), "DET_SCHEMA", "d.jsonl:1: detections[0].box[2]"),
        (line("000000", ("cat", 1, 5)), "DET_SCHEMA", "box"),
        (line("000000", (7, 1, [1, 2, 3, 4])), "DET_SCHEMA", "detections[0].label: expected text"),
        (line("000000", detections=[{"label": "cat", "score": 1}]), "DET_SCHEMA", "detections[0]: expected an object"),
        (line("000000", CAT, ("cat", 10**400, [1, 2, 3, 4])), "DET_NOT_FINITE", "detections[1].score"),
        (line("000000", ("cat", 1, [1, 2, True, 4])), "DET_SCHEMA", "box"),
        (line("000000", ("cat", float("nan"), [1, 2, 3, 4])), "DET_PARSE", "NaN"),  # FAULTS 4, 30, 91
        (line("000000", ("cat", 1, [1, 2, 3, 4])).replace("4]", "1e999]"), "DET_NOT_FINITE", "box"),
        (line("000000", ("cow", 1, [1, 2, 3, 4])), "CLASS_UNKNOWN", "'cow'"),
        (line("x") + line("y"), "IMAGE_UNKNOWN", "2 images are not in this split (x, y)"),
        ("[" * 100_000 + "\n", "DET_PARSE", "d.jsonl:1"),  # FAULTS 43
    ],
)
def test_bad_jsonl(tmp_path, text, code, part):
    path = tmp_path / "d.jsonl"
    path.write_text(text)
    assert code_of(lambda: read_jsonl(path, DATA), part) == code


def test_unknown_images_may_be_left_out(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(line("other", CAT) + line("000001", CAT))
    results = read_jsonl(path, DATA, ignore_unknown=True)
    assert (results.missing, results.unknown) == (2, 1)
    assert results.table.image_index.tolist() == [1]
    assert code_of(lambda: read_jsonl(tmp_path / "none.jsonl", DATA)) == "DET_UNREADABLE"


def test_a_last_line_without_its_end_counts_if_it_is_whole(tmp_path):  # FAULTS 84
    path = tmp_path / "d.jsonl"
    whole = line("000000", CAT) + line("000001", CAT)
    for cut in range(len(line("000000", CAT)), len(whole)):
        path.write_text(whole[:cut])
        if cut in (len(line("000000", CAT)), len(whole) - 1):
            assert len(read_jsonl(path, DATA).table) == (1 if cut < len(whole) - 1 else 2)
        else:
            assert code_of(lambda: read_jsonl(path, DATA), "d.jsonl:2", "torn") == "DET_PARSE"


def test_the_place_of_a_fault_is_right_far_into_the_file(tmp_path):
    path = tmp_path / "d.jsonl"
    data = dataset([truth()] * 200)
    lines = [line(f"{i:06d}", *[CAT] * (i % 70)) for i in range(200)]
    lines[150] = line("000150", *[CAT] * 7, ("cat", 1, [1, 2, 3, None]))
    path.write_text("\ufeff" + "\n".join(lines))  # an empty line after each
    assert code_of(lambda: read_jsonl(path, data), "d.jsonl:301: detections[7].box[3]") == "DET_SCHEMA"
    lines[150] = line("000150", *[CAT] * 7, ("cow", 1, [1, 2, 3, 4]))
    path.write_text("\ufeff" + "\n".join(lines))
    assert code_of(lambda: read_jsonl(path, data), "'cow' in 1 rows", "d.jsonl:301: detections[7]") == "CLASS_UNKNOWN"


def test_written_lines_are_those_of_detect(tmp_path):
    path = tmp_path / "d.jsonl"
    write_jsonl(
        table([(2, 1, 0.125, (1, 2, 3.5, 4)), (0, 0, 0.5, (0, 0, 1, 1)), (2, 0, 0.75, (0, 0, 1, 1))]), DATA, path
    )
    first, second, third = (json.loads(text) for text in path.read_text().splitlines())
    assert first == {
        "schema": 1, "image_id": "000000", "path": "000000.jpg", "height": 100, "width": 200, "status": "ok",
        "detections": [{"label": "cat", "score": 0.5, "box": [0, 0, 1, 1]}],
    }  # fmt: skip
    assert second["detections"] == []
    assert [one["score"] for one in third["detections"]] == [0.125, 0.75]
