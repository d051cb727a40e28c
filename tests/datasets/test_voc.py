import pytest
from data_faults import code_of, codes
from shared_data import SHARED, needs_shared
from tiny_archives import packed_folder
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet, Size
from googlenet_rcnn.datasets.voc import read_voc


def read_one(tmp_path, *objects, **options):
    return read_voc(devkit(tmp_path, {"a": annotation(*objects, **options)}), "train")


def test_corners_become_half_open_and_order_is_kept(tmp_path):
    root = devkit(
        tmp_path,
        {
            "b": annotation(thing("dog", (1, 1, 200, 100)), thing("cat", (3, 4, 5, 6), "<difficult>1</difficult>")),
            "a": annotation(),
        },
    )
    data = read_voc(root, "train")
    assert [sample.image_id for sample in data.samples] == ["b", "a"]
    truth = data.samples[0].truth
    assert truth.boxes.coordinates.tolist() == [[0, 0, 200, 100], [2, 3, 5, 6]]
    assert [data.labels.names[label] for label in truth.labels] == ["dog", "cat"]
    assert truth.ignore.tolist() == [False, True]
    assert truth.size == Size(100, 200)
    assert len(data.samples[1].truth) == 0
    assert data.samples[1].path == root / "VOC2007" / "JPEGImages" / "a.jpg"
    assert data.findings == ()


# FAULTS 32, 33
def test_missing_difficult_and_float_corners(tmp_path):
    truth = read_one(tmp_path, thing("dog", (10.5, 11, 20.25, 31), extra="")).samples[0].truth
    assert truth.boxes.coordinates.tolist() == [[9.5, 10, 20.25, 31]]
    assert truth.ignore.tolist() == [False]


# FAULTS 26, 27
def test_boxes_are_clipped_or_dropped_with_a_finding(tmp_path):
    data = read_one(
        tmp_path,
        thing("dog", (0, 0, 201, 50)),
        thing("cat", (30, 30, 20, 40)),
        thing("cat", (300, 30, 320, 40)),
        thing("cow", (5, 5, 5, 5)),
        thing("cow", (1, 1, 5, 5)),
        thing("cow", (5, 1, 5, 5)),
    )
    assert data.samples[0].truth.boxes.coordinates.tolist() == [
        [0, 0, 200, 50], [4, 4, 5, 5], [0, 0, 5, 5], [4, 0, 5, 5],
    ]  # fmt: skip
    assert codes(data) == ["BOX_OUTSIDE", "BOX_DEGENERATE", "BOX_DEGENERATE"]
    assert "object 2 (cat)" in str(data.findings[1])
    assert "a.xml" in data.findings[1].file


def test_root_may_be_any_of_three_folders(tmp_path):
    devkit(tmp_path / "VOCdevkit", {"a": annotation()})
    for root in (tmp_path, tmp_path / "VOCdevkit", tmp_path / "VOCdevkit" / "VOC2007"):
        assert len(read_voc(str(root), "train").samples) == 1
    devkit(tmp_path / "VOCdevkit", {"a": annotation()}, year="VOC2012")
    assert code_of(lambda: read_voc(tmp_path, "train"), "VOC2007", "VOC2012") == "DATA_AMBIGUOUS"
    assert code_of(lambda: read_voc(tmp_path / "none", "train")) == "DATA_MISSING"
    (tmp_path / "empty").mkdir()
    assert code_of(lambda: read_voc(tmp_path / "empty", "train")) == "DATA_UNRECOGNISED"


def test_missing_split_lists_the_others(tmp_path):
    devkit(tmp_path, {"a": annotation()})
    devkit(tmp_path, {"a": annotation()}, split="val")
    devkit(tmp_path, {"a": annotation()}, split="car_val")
    with pytest.raises(DataError, match=r"available: train, val$"):
        read_voc(tmp_path, "test")


def test_empty_split_and_repeated_id(tmp_path):
    assert read_voc(devkit(tmp_path, {}), "train").samples == ()
    devkit(tmp_path, {"a": annotation()})
    (tmp_path / "VOC2007/ImageSets/Main/train.txt").write_text("a  1\r\n\r\na -1\r\n")
    assert code_of(lambda: read_voc(tmp_path, "train"), "train.txt:3", "line 1") == "DUPLICATE_ID"


# FAULTS 35
def test_missing_annotation(tmp_path):
    devkit(tmp_path, {"a": annotation()})
    devkit(tmp_path, {"a": annotation()}, split="test")
    (tmp_path / "VOC2007/Annotations/a.xml").unlink()
    assert read_voc(tmp_path, "test").samples[0].truth is None
    assert code_of(lambda: read_voc(tmp_path, "train"), "a.xml") == "ANN_MISSING"


def test_unknown_class_and_own_labels(tmp_path):
    devkit(tmp_path, {"a": annotation(thing("unicorn", (1, 1, 2, 2)))})
    assert code_of(lambda: read_voc(tmp_path, "train"), "unicorn", "a.xml") == "CLASS_UNKNOWN"
    assert read_voc(tmp_path, "train", LabelSet(("x", "unicorn"))).samples[0].truth.labels.tolist() == [1]


# FAULTS 30, 33, 34, 43, 45
@pytest.mark.parametrize(
    ("xml", "code", "part"),
    [
        ("<annotation>\n<size></annotation>", "ANN_PARSE", "a.xml:2:"),
        ("", "ANN_PARSE", "a.xml:1:"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><annotation>&a;</annotation>', "ANN_PARSE", "DOCTYPE"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><annotation/>', "ANN_PARSE", "DOCTYPE"),
        ("<annotation>&amp;&undefined;</annotation>", "ANN_PARSE", "undefined entity"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "ANN_PARSE", "a.xml"),
        ("<a>" * 100_000, "ANN_PARSE", "nested"),
        ("<annotation/>", "ANN_MISSING_FIELD", "size"),
        ("<annotation><size><width>3</width></size></annotation>", "ANN_MISSING_FIELD", "size/height"),
        (annotation(size=Size(0, 5)), "SIZE_MISMATCH", "5x0"),
        (annotation(thing("", (1, 1, 2, 2))), "ANN_MISSING_FIELD", "object 1/name"),
        (annotation("<object><name>cat</name></object>"), "ANN_MISSING_FIELD", "object 1/bndbox"),
        (annotation(thing("cat", (1, "nan", 2, 2))), "ANN_BAD_NUMBER", "object 1/bndbox/ymin"),
        (annotation(thing("cat", (1, 1, "1e999", 2))), "ANN_BAD_NUMBER", "xmax"),
        (annotation(thing("cat", ("x", 1, 2, 2))), "ANN_BAD_NUMBER", "'x'"),
        (annotation(thing("cat", (1, 1, "1e30", 2))), "ANN_BAD_NUMBER", "object 1 (cat)"),
        (annotation(filename="../../secret.jpg"), "PATH_ESCAPE", "secret"),
        (annotation(filename="C:\\x.jpg"), "PATH_ESCAPE", "C:"),
    ],
)
def test_bad_annotations(tmp_path, xml, code, part):
    devkit(tmp_path, {"a": xml})
    assert code_of(lambda: read_voc(tmp_path, "train"), part) == code


def test_names_that_lead_outside(tmp_path):
    devkit(tmp_path, {"a": annotation()})
    assert code_of(lambda: read_voc(tmp_path, "../../x")) == "PATH_ESCAPE"
    for name in ("../a", "/etc/passwd", "x/../../a"):
        (tmp_path / "VOC2007/ImageSets/Main/train.txt").write_text(name + "\n")
        assert code_of(lambda: read_voc(tmp_path, "train")) == "PATH_ESCAPE"


def test_image_with_another_suffix(tmp_path):
    folder = devkit(tmp_path, {"a": annotation(), "b": annotation(filename="other.jpg")}) / "VOC2007/JPEGImages"
    (folder / "a.png").touch()
    (folder / "other.jpg").touch()
    assert [sample.path.name for sample in read_voc(tmp_path, "train").samples] == ["a.png", "other.jpg"]


# FAULTS 28: over the whole set, since a single box cannot tell.
@pytest.mark.parametrize(
    ("corners", "expected", "how"),
    [
        ([(0, 0, 199, 99), (0, 5, 10, 10)], [[0, 0, 200, 100], [0, 5, 11, 11]], "inclusive"),
        ([(0, 0, 200, 100), (0, 5, 10, 10)], [[0, 0, 200, 100], [0, 5, 10, 10]], "half-open"),
        ([(1, 1, 200, 100), (1, 5, 10, 10)], [[0, 0, 200, 100], [0, 4, 10, 10]], None),
        ([(1, 1, 200, 100), (0, 5, 10, 10)], [[0, 0, 200, 100], [0, 4, 10, 10]], None),
    ],
)
def test_corners_that_start_at_0(tmp_path, corners, expected, how):
    things = {name: annotation(thing("dog", box)) for name, box in zip("ab", corners, strict=True)}
    data = read_voc(devkit(tmp_path, things), "train")
    assert [sample.truth.boxes.coordinates[0].tolist() for sample in data.samples] == expected
    picked = [finding for finding in data.findings if finding.code == "VOC_ZERO_BASED"]
    assert len(picked) == (how is not None)
    if how:
        assert how in picked[0].message
        assert picked[0].level == "info"


# FAULTS 29
def test_boxes_in_another_form_are_suspected(tmp_path):
    corners = [(x, y, x + 30 - x // 5, y + 20) for x in range(1, 150, 11) for y in (1, 30, 79)]
    for name, write in {
        "": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
        "x y width height in pixels": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
        "x1 y1 x2 y2 normalised": lambda x1, y1, x2, y2: (x1 / 200, y1 / 100, x2 / 200, y2 / 100),
    }.items():
        data = read_one(tmp_path, *(thing("dog", write(*box)) for box in corners))
        suspects = [finding for finding in data.findings if finding.code == "BOX_FORMAT_SUSPECT"]
        assert [name in suspect.message for suspect in suspects] == ([True] if name else [])


# FAULTS 37
def test_unknown_classes_are_told_in_one_table(tmp_path):
    box = (1, 1, 2, 2)
    devkit(
        tmp_path,
        {"a": annotation(thing("unicorn", box), thing("Dog", box)), "b": annotation(thing("unicorn", box))},
    )
    parts = ("'unicorn' 2x", "a.xml: object 1", "'Dog' 1x", "did you mean 'dog'?", "20 labels")
    assert code_of(lambda: read_voc(tmp_path, "train"), *parts) == "CLASS_UNKNOWN"


def test_labels_of_ones_own_lie_beside_the_annotations(tmp_path):
    devkit(tmp_path, {"a": annotation(thing("unicorn", (1, 1, 2, 2)))})
    (tmp_path / "VOC2007" / "labels.txt").write_text("griffin\nunicorn\n")
    data = read_voc(tmp_path, "train")
    assert data.labels.names == ("griffin", "unicorn")
    assert data.samples[0].truth.labels.tolist() == [1]


def test_an_archive_reads_as_the_folder_it_was_made_from(tmp_path):
    xml = {name: annotation(thing("dog", (1, 1, 9, 9 + index))) for index, name in enumerate("cab")}
    devkit(tmp_path / "VOCdevkit", xml)
    packed = read_voc(packed_folder(tmp_path / "VOCdevkit", tmp_path / "voc.tar.gz"), "train")
    loose = read_voc(tmp_path, "train")
    assert [sample.image_id for sample in packed.samples] == ["c", "a", "b"]
    assert [sample.path for sample in packed.samples] == [sample.path for sample in loose.samples]
    for one, other in zip(packed.samples, loose.samples, strict=True):
        assert one.truth.boxes.coordinates.tobytes() == other.truth.boxes.coordinates.tobytes()
    assert code_of(lambda: read_voc(tmp_path / "voc.tar.gz", "val"), "available: train") == "SPLIT_MISSING"


@needs_shared
def test_voc_2007_has_its_published_counts():
    root = SHARED / "VOCdevkit"
    data = read_voc(root, "trainval")
    assert len(data.samples) == 5011
    assert sum(len(sample.truth) for sample in data.samples) == 15_662
    assert data.findings == ()
    assert all(sample.path.is_file() for sample in data.samples[:50])
    lists = [(root / f"VOC2007/ImageSets/Main/{split}.txt").read_text().split() for split in ("train", "val")]
    assert [len(ids) for ids in lists] == [2501, 2510]
