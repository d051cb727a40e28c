import json

import numpy as np
import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.eval.proposal_file import read_proposals

BOXES = [[0, 0, 20.5, 10], [1, 2, 3, 4], [0, 0, 200, 100]]


def line(image_id="a", boxes=BOXES, sources=("ss", "multibox", "ss"), **more):
    row = {"schema": 1, "image_id": image_id, "path": "x", "width": 200, "height": 100, "status": "ok"}
    scores = [1 - i / 10 for i in range(len(boxes))]
    return json.dumps(row | {"boxes": boxes, "scores": scores, "sources": list(sources)} | more) + "\n"


FAILED = json.dumps({"schema": 1, "image_id": "bad", "status": "failed", "code": "IMG_EMPTY"}) + "\n"


def arrays(**changed):
    """Images a (3 boxes), bad (failed) and e (none)."""
    content = {
        "image_ids": np.array(["a", "bad", "e"]),
        "sizes": np.array([[100, 200], [0, 0], [5, 6]]),
        "offsets": np.array([0, 3, 3, 3]),
        "boxes": np.array(BOXES, dtype=np.float32),
        "scores": np.array([1, 0.9, 0.8], dtype=np.float32),
        "sources": np.array([0, 1, 0], dtype=np.int16),
        "source_names": np.array(["ss", "multibox"]),
        "failed": np.array([False, True, False]),
    }
    content |= changed
    return {name: array for name, array in content.items() if array is not None}


@pytest.fixture
def read(tmp_path):
    """Writes text, bytes or arrays, and reads them as proposals."""

    def go(content):
        path = tmp_path / "p.file"
        if isinstance(content, dict):
            with path.open("wb") as file:
                np.savez(file, **content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_proposals(path)

    return go


def refused(call, *parts):
    with pytest.raises(DataError) as caught:
        call()
    assert "\n" not in caught.value.message
    for part in parts:
        assert part in caught.value.message
    return caught.value.code


EMPTY = line("e", [], (), width=6, height=5)


@pytest.mark.parametrize("content", [line() + "\n" + FAILED + EMPTY, arrays()], ids=["jsonl", "npz"])
def test_both_formats_give_the_same(read, content):
    found = read(content)
    assert found.failed == ("bad",)
    assert list(found.proposals) == ["a", "e"]
    first, empty = found.proposals.values()
    assert first.boxes.coordinates.tolist() == BOXES
    assert first.scores.tolist() == pytest.approx([1, 0.9, 0.8])
    assert [first.source_names[source] for source in first.sources] == ["ss", "multibox", "ss"]
    assert (tuple(first.size), tuple(empty.size), len(empty)) == ((100, 200), (5, 6), 0)


def test_a_file_of_failures_alone_is_a_file(read):
    assert read(FAILED) == ({}, ("bad",))


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("", "PROPOSAL_EMPTY", "no image"),
        ("\n \n", "PROPOSAL_EMPTY", "run `propose --out` again"),
        (line() + line("b")[:-9], "PROPOSAL_PARSE", "p.file:2: the last line is torn"),
        ("{]\n", "PROPOSAL_PARSE", "p.file:1: not JSON"),
        (b"\xff\xfe\n", "PROPOSAL_PARSE", "p.file:1"),
        (line(schema=2), "PROPOSAL_SCHEMA", "found 2"),
        ("[]\n", "PROPOSAL_SCHEMA", "list"),
        (line(""), "PROPOSAL_SCHEMA", "image_id"),
        (line(status="fine"), "PROPOSAL_SCHEMA", "'fine'"),
        (line() + FAILED + line(), "DUPLICATE_ID", "p.file:3: image 'a' is also on line 1"),
        (line(boxes=[], scores=None, sources=[]), "PROPOSAL_SCHEMA", "scores must be a list"),
        (line(scores=[1, 2]), "PROPOSAL_SCHEMA", "3 boxes, 2 scores, 3 sources"),
        (line(sources=("ss", 3, "ss")), "PROPOSAL_SCHEMA", "sources[1]"),
        (line(scores=[1, "2", 3]), "PROPOSAL_SCHEMA", "scores must be numbers, found '2'"),
        (line(scores=[1, True, 3]), "PROPOSAL_SCHEMA", "'True'"),
        (line(scores=[1, None, 3]), "PROPOSAL_SCHEMA", "'None'"),
        (line(boxes=[[1, 2, 3], *BOXES[1:]]), "PROPOSAL_SCHEMA", "boxes[0] must be 4 numbers"),
        (line(boxes=[[1, 2, 3, "4"]], sources=["ss"]), "PROPOSAL_SCHEMA", "boxes must be numbers"),
        (line(boxes=[*BOXES[:2], [5, 5, 5, 9]]), "PROPOSAL_BOX", "boxes[2] [5.0, 5.0, 5.0, 9.0]"),
        (line(boxes=[*BOXES[:2], [0, 9, 9, 2]]), "PROPOSAL_BOX", "boxes[2]"),
        (line(boxes=[*BOXES[:1], [0, 0, 201, 5], BOXES[2]]), "PROPOSAL_BOX", "x2 <= 200"),
        (line(boxes=[[0, 0, 9, 100.5], *BOXES[1:]]), "PROPOSAL_BOX", "y2 <= 100"),
        (line(boxes=[[-0.5, 0, 9, 10], *BOXES[1:]]), "PROPOSAL_BOX", "boxes[0]"),
        (line().replace("20.5", "1e999"), "PROPOSAL_NOT_FINITE", "boxes[0]"),
        (line().replace("20.5", "1e40"), "PROPOSAL_NOT_FINITE", "boxes[0]"),
        (line().replace("20.5", "1" * 400), "PROPOSAL_NOT_FINITE", "image 'a': boxes"),
        (line().replace("20.5", "NaN"), "PROPOSAL_PARSE", "NaN"),
        (line(scores=[1, 1e300, 2]), "PROPOSAL_NOT_FINITE", "scores[1]"),
        (line(width=None), "PROPOSAL_SCHEMA", "100 x None"),
        (line(height=True), "PROPOSAL_SCHEMA", "True x 200"),
        (line(height=0, boxes=[], sources=[]), "PROPOSAL_SCHEMA", "from 1"),
    ],
)
def test_bad_lines(read, text, code, part):
    assert refused(lambda: read(text), part) == code


@pytest.mark.parametrize(
    ("changed", "code", "part"),
    [
        ({"scores": None}, "PROPOSAL_SCHEMA", "no array 'scores'"),
        ({"boxes": np.zeros(12, np.float32)}, "PROPOSAL_SCHEMA", "array 'boxes'"),
        ({"boxes": np.zeros((3, 5), np.float32)}, "PROPOSAL_SCHEMA", "boxes 4"),
        ({"sizes": np.zeros((3, 3), int)}, "PROPOSAL_SCHEMA", "2 columns"),
        ({"sources": np.zeros(3)}, "PROPOSAL_SCHEMA", "array 'sources' cannot be float64"),
        ({"scores": np.zeros(2, np.float32)}, "PROPOSAL_SCHEMA", "scores [2]"),
        ({"failed": np.zeros(2, bool)}, "PROPOSAL_SCHEMA", "failed [2]"),
        ({"offsets": np.array([0, 3, 3])}, "PROPOSAL_SCHEMA", "offsets [3]"),
        ({"offsets": np.array([0, 3, 2, 3])}, "PROPOSAL_SCHEMA", "must rise"),
        ({"offsets": np.array([0, 3, 3, 4])}, "PROPOSAL_SCHEMA", "3 boxes"),
        ({"offsets": np.array([-1, 3, 3, 3])}, "PROPOSAL_SCHEMA", "must rise"),
        ({"image_ids": np.array(["a", "bad", "a"])}, "DUPLICATE_ID", "image_ids[2] 'a' is also image_ids[0]"),
        ({"sources": np.array([0, 2, 0])}, "PROPOSAL_SCHEMA", "sources[1]"),
        ({"sources": np.array([0, 0, -1])}, "PROPOSAL_SCHEMA", "sources[2]"),
        ({"scores": np.array([0, np.nan, 1], np.float32)}, "PROPOSAL_NOT_FINITE", "scores[1]"),
        ({"sizes": np.array([[100, 199], [0, 0], [5, 6]])}, "PROPOSAL_BOX", "boxes[2]"),
        ({"sizes": np.array([[100, 200], [0, 0], [0, 6]])}, "PROPOSAL_SCHEMA", "image_ids[2] 'e'"),
        ({"image_ids": np.array(["a", "bad", object()], dtype=object)}, "PROPOSAL_PARSE", "not a whole npz"),
    ],
)
def test_bad_arrays(read, changed, code, part):
    assert refused(lambda: read(arrays(**changed)), part) == code


def test_an_npz_without_images_is_empty(read):
    nothing = {name: array[:0] for name, array in arrays().items() if name != "source_names"}
    content = arrays(**nothing) | {"offsets": np.zeros(1, int), "source_names": np.array([], dtype=np.str_)}
    assert refused(lambda: read(content)) == "PROPOSAL_EMPTY"


@pytest.mark.parametrize("kept", [2, 200, -30])
def test_a_cut_npz_is_told(read, tmp_path, kept):
    with (tmp_path / "whole").open("wb") as file:
        np.savez_compressed(file, **arrays())
    assert refused(lambda: read((tmp_path / "whole").read_bytes()[:kept]), "p.file") == "PROPOSAL_PARSE"


def test_damaged_compressed_data_is_told(read, tmp_path):
    with (tmp_path / "whole").open("wb") as file:
        np.savez_compressed(file, **arrays())
    damaged = bytearray((tmp_path / "whole").read_bytes())
    damaged[60:90] = bytes(30)
    assert refused(lambda: read(bytes(damaged)), "write it again") == "PROPOSAL_PARSE"


def test_unreadable_paths(tmp_path):
    assert refused(lambda: read_proposals(tmp_path / "none"), "No such file") == "PROPOSAL_UNREADABLE"
    assert refused(lambda: read_proposals(tmp_path), "directory") == "PROPOSAL_UNREADABLE"
