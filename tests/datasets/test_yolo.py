import pytest
from data_faults import code_of, codes
from tiny_yolo import YAML, write_picture, write_tree

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.tree import read_dataset
from googlenet_rcnn.datasets.yolo import read_yolo

LINE = "1 0.5 0.5 0.1 0.2\n"
BOX = [90, 40, 110, 60]


def read_one(tmp_path, text, **options):
    return read_yolo(write_tree(tmp_path, {"a": text}, **options), "train")


def test_shares_become_pixels_and_names_are_in_order(tmp_path):
    data = read_dataset(write_tree(tmp_path, {"b": LINE, "a": "", "sub/c": "0 0.25 0.5 0.5 1\n" + LINE}), "train")
    assert [sample.image_id for sample in data.samples] == ["a", "b", "sub/c"]
    assert [sample.truth.boxes.coordinates.tolist() for sample in data.samples] == [[], [BOX], [[0, 0, 100, 100], BOX]]
    assert data.samples[2].truth.labels.tolist() == [0, 1]
    assert data.samples[2].truth.size == Size(100, 200)
    assert data.labels.names == ("cat", "dog")
    assert data.samples[2].path == tmp_path / "images/train/sub/c.jpg"
    assert data.findings == ()


# FAULTS 44
@pytest.mark.parametrize(
    "text", [LINE.replace("\n", "\r\n"), "\ufeff" + LINE, "\n\n" + LINE + "\n \n", LINE.replace(" ", "\t")]
)
def test_line_ends_marks_and_blanks(tmp_path, text):
    data = read_one(tmp_path, text)
    assert data.samples[0].truth.boxes.coordinates.tolist() == [BOX]
    assert data.findings == ()


# FAULTS 30, 31, 44
@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        (LINE + "1 0.5 0.5 0.1\n", "ANN_COLUMNS", "a.txt:2: expected class, centre x y, width, height, found 4"),
        ("1 0.5 0.5 0.1 0.1 0.9\n", "ANN_COLUMNS", "found 6"),
        ("0 .1 .1 .2 .1 .2 .2\n", "ANN_COLUMNS", "found 7"),
        ("1,0.5,0.5,0.1,0.2\n", "ANN_COLUMNS", "separate with spaces"),
        ("1, 0.5, 0.5, 0.1, 0.2\n", "ANN_BAD_NUMBER", "'0.5,'"),
        ("dog 0.5 0.5 0.1 0.2\n", "CLASS_NOT_A_NUMBER", "a.txt:1: 'dog'"),
        ("-1 0.5 0.5 0.1 0.2\n", "CLASS_NOT_A_NUMBER", "'-1'"),
        ("1.0 0.5 0.5 0.1 0.2\n", "CLASS_NOT_A_NUMBER", "'1.0'"),
        ("1 nan 0.5 0.1 0.2\n", "ANN_BAD_NUMBER", "a.txt:1: 'nan'"),
        ("1 0.5 inf 0.1 0.2\n", "ANN_BAD_NUMBER", "'inf'"),
        ("1 0.5 1e30 0.1 0.2\n", "ANN_BAD_NUMBER", "a.txt:1: lies"),
        ("1 0.5 0.5 -0.1 0.2\n", "BOX_NEGATIVE", "a.txt:1"),
    ],
)
def test_bad_lines(tmp_path, text, code, part):
    assert code_of(lambda: read_one(tmp_path, text), part) == code


def test_texts_that_are_no_text(tmp_path):
    write_tree(tmp_path, {"a": ""})
    (tmp_path / "labels/train/a.txt").write_bytes(b"\xff\xfe1\x00")
    assert code_of(lambda: read_yolo(tmp_path, "train"), "a.txt") == "ANN_PARSE"


# FAULTS 37: ids that start at 1 are told in one table.
def test_classes_beyond_the_list(tmp_path):
    write_tree(tmp_path, {"a": "2 .5 .5 .1 .1\n2 .5 .5 .1 .1\n", "b": "9 .5 .5 .1 .1\n2 .5 .5 .1 .1\n"})
    parts = ("'2' 3x (first in", "a.txt:1", "'9' 1x", "numbers start at 0")
    assert code_of(lambda: read_yolo(tmp_path, "train"), *parts) == "CLASS_UNKNOWN"


# FAULTS 26, 27, 29
def test_boxes_outside_and_in_pixels(tmp_path):
    data = read_one(tmp_path, "0 0 0.5 0.1 0.2\n0 0.5 0.5 0 0.2\n0 3 3 0.1 0.1\n")
    assert data.samples[0].truth.boxes.coordinates.tolist() == [[0, 40, 10, 60]]
    assert codes(data) == ["BOX_OUTSIDE", "BOX_DEGENERATE", "BOX_DEGENERATE"]
    assert "a.txt: line 2: box 100 40" in str(data.findings[1])
    pixels = "".join(f"0 {x} {y} 40 30\n" for x in (30, 90, 160) for y in (20, 50, 80))
    assert "centre width height in pixels" in read_one(tmp_path, pixels).findings[-1].message
    rounded = read_one(tmp_path, "0 0.333335 0.5 0.66667 1.0\n")  # 6 digits, 0.0002 pixels over the border
    assert rounded.findings == ()


# FAULTS 35
def test_images_without_text_and_texts_without_image(tmp_path):
    write_tree(tmp_path, {"a": None, "b": LINE})
    (tmp_path / "labels/train/gone.txt").write_text(LINE)
    (tmp_path / "labels/train/classes.txt").write_text("cat\ndog\n")
    data = read_yolo(tmp_path, "train")
    assert [len(sample.truth) for sample in data.samples] == [0, 1]
    assert [(finding.code, finding.file[-8:]) for finding in data.findings] == [
        ("ANN_MISSING", "in/a.txt"), ("IMG_MISSING", "gone.txt")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("yaml", "home"),
    [
        (YAML, "images/{}"),
        (YAML, "{}/images"),
        ("train: ../train/images\nnames: [cat, dog]\n", "{}/images"),
        ("path: /datasets/x\ntrain: images/train\nnames: [cat, dog]\n", "images/{}"),
        ("train: images/train2017\nnames: [cat, dog]\n", "images/{}2017"),
        ("path: sub\ntrain: images/train\nnames: [cat, dog]\n", "sub/images/{}"),
    ],
)
def test_where_the_folders_are(tmp_path, yaml, home):
    write_tree(tmp_path, {"a": LINE}, yaml, home=home)
    assert [len(sample.truth) for sample in read_yolo(tmp_path, "train").samples] == [1]


def test_where_the_names_are(tmp_path):
    write_tree(tmp_path, {"a": LINE}, None)
    assert code_of(lambda: read_yolo(tmp_path, "train"), "data.yaml", "classes.txt") == "LABELS_MISSING"
    (tmp_path / "classes.txt").write_text("x\r\ny\r\n")
    assert read_yolo(tmp_path, "train").labels.names == ("x", "y")
    for yaml, code in (
        ("names: [a, a]\n", "LABELS_INVALID"),
        ("nc: 3\nnames: [a, b]\n", "LABELS_INVALID"),
        ("names: []\n", "LABELS_INVALID"),
        ("names: !x [a]\n", "YAML_UNSUPPORTED"),
    ):
        (tmp_path / "data.yaml").write_text(yaml)
        assert code_of(lambda: read_yolo(tmp_path, "train"), "data.yaml") == code
    (tmp_path / "data.yaml").write_bytes(b"names: [\xff]")
    assert code_of(lambda: read_yolo(tmp_path, "train"), "data.yaml") == "LABELS_UNREADABLE"


def test_splits(tmp_path):
    write_tree(tmp_path, {"a": LINE})
    assert code_of(lambda: read_yolo(tmp_path, "val"), "images/val", "there are: images/train") == "SPLIT_MISSING"
    assert code_of(lambda: read_yolo(tmp_path, "../train")) == "PATH_ESCAPE"
    assert code_of(lambda: read_yolo(tmp_path / "gone", "train")) == "DATA_MISSING"
    (tmp_path / "images/val").mkdir()
    (tmp_path / "labels/val").mkdir()
    assert read_yolo(tmp_path, "val").samples == ()


def test_bad_pictures(tmp_path):
    write_tree(tmp_path, {"a": LINE})
    (tmp_path / "images/train/a.jpg").write_bytes(b"")
    assert code_of(lambda: read_yolo(tmp_path, "train"), "a.jpg") == "IMG_EMPTY"
    write_picture(tmp_path / "images/train/a.jpg")
    write_picture(tmp_path / "images/train/a.png")
    assert code_of(lambda: read_yolo(tmp_path, "train"), "a.png", "a.jpg") == "DUPLICATE_ID"
