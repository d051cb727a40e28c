import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from random_detections import table
from result_formats import code_of, images, random_table, upright

from googlenet_rcnn.eval.coco_results import (
    coco_names_path,
    read_coco_results,
    write_coco_names,
    write_coco_results,
)
from googlenet_rcnn.eval.results import read_results

DATA = images(["b", "a"], numbers=[900, 17], class_ids=(3, 200, 17))
GOOD = {"image_id": 17, "category_id": 200, "bbox": [1.5, 2, 30, 40], "score": 0.5}


@pytest.fixture
def read(tmp_path):
    """Reads rows (or text) as a results file."""

    def go(content, **options):
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        (tmp_path / "found.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_coco_results(tmp_path / "found.json", DATA, **options)

    return go


def test_corners_are_left_top_width_height(read):
    found = read([GOOD, GOOD | {"image_id": 900, "category_id": 3, "bbox": [-5, 0, 0, 9], "score": -1}])
    assert found.table.boxes.tolist() == [[1.5, 2, 31.5, 42], [-5, 0, -5, 9]]
    assert found.table.image_index.tolist() == [1, 0]
    assert found.table.label.tolist() == [1, 0]
    assert found.table.score.tolist() == [0.5, -1]


def test_pycocotools_reads_what_is_written(tmp_path):
    path = tmp_path / "found.json"
    found = upright(random_table(5, 40, DATA))
    write_coco_results(found, DATA, path)
    coco = COCO()
    coco.dataset = {
        "images": [{"id": 900}, {"id": 17}],
        "categories": [{"id": one} for one in (3, 200, 17)],
        "annotations": [],
        "info": {},
    }
    coco.createIndex()
    loaded = list(coco.loadRes(str(path)).anns.values())
    assert [one["image_id"] for one in loaded] == [(900, 17)[index] for index in found.image_index]
    assert [one["category_id"] for one in loaded] == [(3, 200, 17)[label] for label in found.label]
    assert [one["score"] for one in loaded] == found.score.tolist()
    sides = np.array([one["bbox"] for one in loaded])
    assert np.allclose(np.hstack([sides[:, :2], sides[:, :2] + sides[:, 2:]]), found.boxes, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("wrong", "code", "part"),
    [
        ({"bbox": [1, 2, 3]}, "DET_SCHEMA", "found.json: [1].bbox: expected 4 numbers"),  # FAULTS 31, 4
        ({"bbox": [1, 2, 3, 4, 5]}, "DET_SCHEMA", "[1].bbox: expected 4 numbers"),
        ({"bbox": "1 2 3 4"}, "DET_SCHEMA", "[1].bbox: expected 4 numbers"),
        ({"bbox": ["1", "2", "3", "4"]}, "DET_SCHEMA", "[1].bbox[0]: expected a number, found '1'"),
        ({"bbox": [1, 2, None, 4]}, "DET_SCHEMA", "[1].bbox[2]"),
        ({"bbox": [1, 2, -3, 4]}, "DET_NEGATIVE_SIDE", "[1].bbox"),  # FAULTS 4
        ({"bbox": [1, 2, 3, float("nan")]}, "DET_NOT_FINITE", "[1]: score and box"),  # FAULTS 30, 4
        ({"bbox": [1, 2, 3, float("inf")]}, "DET_NOT_FINITE", "[1]"),
        ({"score": float("nan")}, "DET_NOT_FINITE", "[1]"),  # FAULTS 4
        ({"score": True}, "DET_SCHEMA", "[1].score: expected a number"),
        ({"score": 10**400}, "DET_NOT_FINITE", "[1].score"),
        ({"image_id": "17"}, "DET_SCHEMA", "[1].image_id: expected a whole number, found '17'"),
        ({"image_id": 1}, "IMAGE_UNKNOWN", "1 images are not in this split (1, first"),  # FAULTS 40, 4
        ({"category_id": 1.0}, "DET_SCHEMA", "[1].category_id"),
        ({"category_id": 1}, "CLASS_UNKNOWN", "'1' in 1 rows, first"),  # FAULTS 37, 40, 4
    ],
)
def test_a_wrong_row_is_named(read, wrong, code, part):
    assert code_of(lambda: read([GOOD, GOOD | wrong, GOOD]), part) == code


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ('[{"image_id": 17,\n "score": }]', "DET_PARSE", "found.json:2:11: not JSON"),  # FAULTS 43
        ("[" * 100_000, "DET_PARSE", "recursion"),
        (json.dumps([GOOD]).encode("utf-16"), "DET_PARSE", "save the file as UTF-8"),
        (json.dumps([GOOD])[:-9], "DET_PARSE", "found.json:1:"),
        ('[{"image_id":' + "9" * 5000 + "}]", "DET_PARSE", "digits"),
        ("[1, 2]", "DET_SCHEMA", "expected a list of objects"),
        ("7", "DET_SCHEMA", "expected a list"),
        (json.dumps([[GOOD]]), "DET_SCHEMA", "expected a list"),
        (json.dumps({"annotations": [GOOD]}), "DET_SCHEMA", "these are annotations"),
        (
            json.dumps([GOOD, {"image_id": 17, "bbox": [1, 2, 3, 4]}]),
            "DET_SCHEMA",
            "[1]: category_id, score is missing",
        ),
    ],
)
def test_a_wrong_file_is_refused(read, text, code, part):
    assert code_of(lambda: read(text), part) == code


def test_a_file_too_large_is_refused_before_it_is_parsed(read, monkeypatch):  # FAULTS 43
    monkeypatch.setattr("googlenet_rcnn.eval.coco_results._MAX_BYTES", 10)
    assert code_of(lambda: read([GOOD]), "more than 10 bytes") == "DET_PARSE"


def test_a_mark_of_byte_order_an_empty_file_and_other_fields_do_no_harm(read):
    segmented = GOOD | {"segmentation": {"size": [1, 2], "counts": "x"}, "area": 3}
    assert len(read("\ufeff" + json.dumps([GOOD, segmented])).table) == 2
    assert len(read("").table) == len(read("[]").table) == len(read(" \n").table) == 0


def test_rows_far_into_a_file_are_named_too(read):
    assert code_of(lambda: read([GOOD] * 9000 + [GOOD | {"score": None}]), "[9000].score") == "DET_SCHEMA"
    many = [GOOD] * 5000 + [GOOD | {"segmentation": {}}] * 4100  # rows once more, from the beginning
    assert len(read(many).table) == 9100


def test_numbers_are_those_of_the_data_set_or_of_the_names_or_places(tmp_path):
    for ids, numbers, written in (
        (["b", "a"], [900, 17], [900, 17]),
        (["000005", "x/000003"], None, [5, 3]),
        (["000005", "5"], None, [1, 2]),
        (["2007_000005", "2007_000003"], None, [1, 2]),
    ):
        data = images(ids, numbers)
        path = tmp_path / "found.json"
        write_coco_results(table([(0, 0, 1, (0, 0, 1, 1)), (1, 2, 1, (0, 0, 1, 1))]), data, path, overwrite=True)
        assert [(row["image_id"], row["category_id"]) for row in json.loads(path.read_text())] == [
            (written[0], 1), (written[1], 3)
        ]  # fmt: skip


def test_names_beside_a_file_say_what_its_numbers_mean(tmp_path):
    path = tmp_path / "found.json"
    listed = images(["a", "b"], names=("dog", "cat"))
    write_coco_results(table([(0, 0, 1, (0, 0, 1, 1)), (1, 1, 0.5, (0, 0, 2, 2))]), listed, path)
    write_coco_names(listed, path)
    more = images(["c", "b", "a"], numbers=[1, 2, 3])  # numbers that mean something else in the file
    results = read_results(path, more)
    assert results.missing == 1
    assert (results.table.image_index.tolist(), results.table.label.tolist()) == ([2, 1], [1, 0])
    coco_names_path(path).write_text('{"images": [{"id": 1}], "categories": []}')
    assert code_of(lambda: read_results(path, DATA), "found.images.json") == "DET_SCHEMA"
