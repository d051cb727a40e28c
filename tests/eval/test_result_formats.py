"""What holds for every result format alike."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_detections import random_case, table
from result_formats import FORMATS, code_of, images, needs, random_table, upright
from tiny_voc import dataset

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match
from googlenet_rcnn.eval.results import read_results, recognise

DATA = images(["000007", "000003", "000012", "000001", "000100"], class_ids=(3, 200, 17))
EMPTY = table([])
every_format = pytest.mark.parametrize("kind", FORMATS)


def grouped(found):
    """Rows by image and class, in each by falling score, equal ones as they stand."""
    order = np.lexsort((-found.score, found.label, found.image_index))
    return found.image_index[order], found.label[order], found.score[order], found.boxes[order]


@every_format
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 60))
def test_a_round_trip_keeps_boxes_counts_scores_order_and_ties(kind, tmp_path, seed, count):
    needs(kind)
    write, read, name = FORMATS[kind]
    before = random_table(seed, count, DATA)
    if kind == "coco":
        before = upright(before)
    write(before, DATA, tmp_path / name, overwrite=True)
    results = read(tmp_path / name, DATA)
    assert (results.failed, results.unknown) == (0, 0)
    for one, other in zip(grouped(before), grouped(results.table), strict=True):
        assert np.allclose(one, other, rtol=0, atol=0.0051)
    for column in ("image_index", "label", "score"):
        if kind != "voc":  # a file a class
            assert np.array_equal(
                getattr(before, column).astype(np.float32), getattr(results.table, column).astype(np.float32)
            )
    assert read_results(tmp_path / name, DATA).missing == results.missing


@every_format
def test_the_score_does_not_change_with_the_format(kind, tmp_path):
    needs(kind)
    write, _, name = FORMATS[kind]
    truths, rows = random_case(8)
    data, before = dataset(truths, "abc"), upright(table(rows))
    write(before, data, tmp_path / name)
    after = read_results(tmp_path / name, data).table
    expected, found = (average_precision(match(one, data, RULES["voc10"]), RULES["voc10"]) for one in (before, after))
    assert np.array_equal(expected.ap, found.ap)


@every_format
def test_equal_tables_give_equal_bytes(kind, tmp_path):
    needs(kind)
    write, _, name = FORMATS[kind]
    found = upright(random_table(1, 50, DATA))
    for folder in ("one", "two"):
        write(found, DATA, tmp_path / folder / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


@every_format
def test_nothing_found_is_ordinary(kind, tmp_path):
    needs(kind)
    write, read, name = FORMATS[kind]
    write(EMPTY, DATA, tmp_path / name)
    results = read(tmp_path / name, DATA)
    assert len(results.table) == results.unknown == results.failed == 0
    assert results.missing == (0 if kind in ("jsonl", "yolo") else 5)
    nobody = images([])
    write(EMPTY, nobody, tmp_path / "none" / name)
    assert len(read(tmp_path / "none" / name, nobody).table) == 0


@every_format
def test_nothing_is_overwritten_unasked(kind, tmp_path):  # FAULTS 82
    needs(kind)
    write, _, name = FORMATS[kind]
    write(upright(random_table(2, 20, DATA)), DATA, tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="OUT_EXISTS"):
        write(EMPTY, DATA, tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="OUT_UNWRITABLE"):
        write(EMPTY, DATA, tmp_path / "file" / name)


@every_format
def test_images_of_another_split_are_listed_or_left_out(kind, tmp_path):  # FAULTS 40, 4
    needs(kind)
    write, read, name = FORMATS[kind]
    more = images(["000007", "000500", "000501"], numbers=[7, 500, 501], class_ids=(3, 200, 17))
    own = images(["000007"], numbers=[7], class_ids=(3, 200, 17))
    write(table([(0, 1, 0.5, (1, 2, 3, 4)), (1, 0, 1, (0, 0, 9, 9)), (2, 2, 1, (0, 0, 9, 9))]), more, tmp_path / name)
    assert code_of(lambda: read(tmp_path / name, own), "2 images", "500", "501", "--ignore-unknown") == "IMAGE_UNKNOWN"
    results = read(tmp_path / name, own, ignore_unknown=True)
    assert (len(results.table), results.unknown, results.missing) == (1, 2, 0)
    assert np.allclose(results.table.boxes, [[1, 2, 3, 4]], rtol=0, atol=1e-6)


@every_format
def test_unknown_classes_are_one_table(kind, tmp_path):  # FAULTS 37, 40, 4
    needs(kind)
    write, read, name = FORMATS[kind]
    more = images(["1", "2"], names=("cat", "ship", "Dog"), class_ids=(3, 8, 9))
    own = images(["1", "2"], names=("cat", "dog"), class_ids=(3, 200))
    box = (0, 0, 9, 9)
    write(table([(0, 1, 0.5, box), (0, 0, 1, box), (1, 2, 1, box), (1, 1, 1, box)]), more, tmp_path / name)
    named = kind not in ("ilsvrc", "coco")
    parts = ("'ship' in 2 rows", "'Dog' in 1 rows", "is it dog?") if named else ("'8' in 2 rows", "'9' in 1 rows")
    if kind == "yolo":  # where class numbers mean what classes.txt says
        parts = ("'1' in 2 rows", "'2' in 1 rows")
    assert code_of(lambda: read(tmp_path / name, own), "2 classes", str(tmp_path), *parts) == "CLASS_UNKNOWN"


@every_format
def test_formats_are_recognised_by_their_content(kind, tmp_path):
    needs(kind)
    write, _, name = FORMATS[kind]
    write(upright(random_table(3, 20, DATA)), DATA, tmp_path / name)
    path = tmp_path / name
    if path.is_file():
        path = path.rename(tmp_path / "renamed")
    assert recognise(path) == kind


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        (b"a b c\n", "DET_FORMAT", "'a b c'"),
        (b"\x89PNG\r\n", "DET_FORMAT", "begins with"),
        (b"image,score\n", "DET_FORMAT", "image_id,label"),
        ("1 2 3".encode("utf-16"), "DET_PARSE", "UTF-16"),  # FAULTS 43
        (b'{"annotations": [{"id": 1}], "images": []}', "DET_SCHEMA", "these are annotations"),
    ],
)
def test_other_files_are_refused_with_what_was_tried(tmp_path, content, code, part):
    path = tmp_path / "found.json"
    path.write_bytes(content)
    assert code_of(lambda: read_results(path, DATA), str(path), part) == code


def test_folders_files_and_absence(tmp_path):
    assert code_of(lambda: read_results(tmp_path, DATA), "VOC", "YOLO") == "DET_MISSING"
    assert code_of(lambda: read_results(tmp_path / "none.json", DATA), "none.json") == "DET_UNREADABLE"
    for name in ("found.json", "found.csv", "found.txt", "found.jsonl"):
        (tmp_path / name).write_text("")
        assert len(read_results(tmp_path / name, DATA).table) == 0
