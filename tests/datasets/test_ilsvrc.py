import csv
import tarfile
from xml.etree import ElementTree

import numpy as np
import pytest
from data_faults import code_of, codes
from shared_data import SHARED, needs_shared
from tiny_archives import packed_folder, write_tar
from tiny_ilsvrc import annotation, devkit, thing

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.ilsvrc import read_ilsvrc
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.tree import read_dataset
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match

FOLDER = SHARED / "ilsvrc_det"
XML = {
    "b": annotation(thing("zebra", (0, 199, 0, 99)), thing("accordion", (10, 19, 30, 49))),
    "a": annotation(),
    "other": annotation(thing("zebra", (1, 2, 3, 4))),
}
ROWS = ["b 7", "a 3"]


def test_corners_become_half_open_and_numbers_are_those_of_the_list(tmp_path):
    data = read_dataset(devkit(tmp_path, XML, ROWS), "val2")
    assert [(sample.image_id, sample.number) for sample in data.samples] == [("b", 7), ("a", 3)]
    truth = data.samples[0].truth
    assert truth.boxes.coordinates.tolist() == [[0, 0, 200, 100], [10, 30, 20, 50]]
    assert truth.labels.tolist() == [199, 0]
    assert [data.labels.names[label] for label in truth.labels] == ["zebra", "accordion"]
    assert data.labels.ids == tuple(range(1, 201))
    assert truth.size == Size(100, 200)
    assert not truth.ignore.any()
    assert len(data.samples[1].truth) == 0
    assert data.findings == ()


def test_the_blacklist_is_that_of_the_validation_images(tmp_path):
    blacklist = "3 n00007846\n99 n00007846\n7 n02672831\n3 n00007846\n"
    person = load_labels("ilsvrc_det").names.index("n00007846 person")
    data = read_ilsvrc(devkit(tmp_path, XML, ROWS, blacklist), "val2")
    assert data.excluded == ((1, person), (0, 0))
    devkit(tmp_path, XML, ROWS, blacklist, split="train_pos_1")
    assert read_ilsvrc(tmp_path, "train_pos_1").excluded == ()
    for row in ("x n00007846", "3", "3 n99999999", "3 n00007846 1"):
        devkit(tmp_path, XML, ROWS, f"\n{row}\n")
        assert code_of(lambda: read_ilsvrc(tmp_path, "val2"), "blacklist.txt:2") == "LIST_BAD_ROW"


def test_the_official_folders(tmp_path):
    (tmp_path / "ILSVRC2014_devkit/data/det_lists").mkdir(parents=True)
    (tmp_path / "ILSVRC2014_devkit/data/det_lists/val.txt").write_text("b 1\na 2\n")
    (tmp_path / "ILSVRC2014_devkit/data/ILSVRC2014_det_validation_blacklist.txt").write_text("2 n02672831\n")
    for folder in ("ILSVRC2013_DET_bbox_val", "ILSVRC2013_DET_val"):
        (tmp_path / folder).mkdir()
    for name in "ab":
        (tmp_path / f"ILSVRC2013_DET_bbox_val/{name}.xml").write_bytes(XML[name])
    (tmp_path / "ILSVRC2013_DET_val/b.JPEG").touch()
    data = read_dataset(tmp_path, "val")
    assert [len(sample.truth) for sample in data.samples] == [2, 0]
    assert data.excluded == ((1, 0),)
    assert data.samples[0].path == tmp_path / "ILSVRC2013_DET_val/b.JPEG"


def test_the_later_release_and_its_lists_of_one_class(tmp_path):
    lists, xml = tmp_path / "ILSVRC/ImageSets/DET", tmp_path / "ILSVRC/Annotations/DET/train/ILSVRC2013_train/n1"
    for folder in (lists, xml):
        folder.mkdir(parents=True)
    (lists / "train_1.txt").write_text("ILSVRC2013_train/n1/b 1\nILSVRC2013_train/n1/a -1\n")
    for name in "ab":
        (xml / f"{name}.xml").write_bytes(XML[name])
    for root in (tmp_path, tmp_path / "ILSVRC"):
        samples = read_dataset(root, "train_1").samples
        assert [(sample.image_id, sample.number) for sample in samples] == [
            ("ILSVRC2013_train/n1/b", None), ("ILSVRC2013_train/n1/a", None)
        ]  # fmt: skip
        assert len(samples[0].truth) == 2


def test_one_archive_of_everything_gives_the_same(tmp_path):
    folder = devkit(tmp_path / "det", {}, ROWS, "3 n02672831\n")
    (folder / "val2_annotations.tar.gz").unlink()
    for name, data in XML.items():
        (folder / f"{name}.xml").write_bytes(data)
    loose, packed = read_dataset(folder, "val2"), read_dataset(packed_folder(folder, tmp_path / "det.tar.gz"), "val2")
    assert packed.excluded == loose.excluded == ((1, 0),)
    for one, other in zip(loose.samples, packed.samples, strict=True):
        assert (one.image_id, one.number) == (other.image_id, other.number)
        assert one.truth.boxes.coordinates.tobytes() == other.truth.boxes.coordinates.tobytes()


def test_among_archives_that_of_the_split_is_taken(tmp_path):
    devkit(tmp_path, XML, ROWS)
    write_tar(tmp_path / "train_annotations.tar.gz", [("x.xml", b"")])
    assert len(read_ilsvrc(tmp_path, "val2").samples) == 2
    (tmp_path / "val.txt").write_text("b 1\na 2\n")
    assert code_of(lambda: read_ilsvrc(tmp_path, "val"), "train_annotations", "val2_") == "DATA_AMBIGUOUS"


# FAULTS 35: who has nothing is kept, who is unknown is told.
def test_an_image_without_annotation_file(tmp_path):
    devkit(tmp_path, XML, ["b 1", "gone 2"])
    assert code_of(lambda: read_ilsvrc(tmp_path, "val2"), "gone", "val2") == "ANN_MISSING"
    (tmp_path / "test.txt").write_text("b 1\ngone 2\n")
    assert [sample.truth is None for sample in read_ilsvrc(tmp_path, "test").samples] == [False, True]


@pytest.mark.parametrize(
    ("rows", "code", "part"),
    [
        (["b 1", "b 2"], "DUPLICATE_ID", "val2.txt:2"),
        (["b 5", "a 5"], "DUPLICATE_ID", "val2.txt:1"),
        (["b 5", "a x"], "LIST_BAD_ROW", "'a x'"),
        (["b 5", "a"], "LIST_BAD_ROW", "val2.txt:2"),
        (["b 5", "a 0"], "LIST_BAD_ROW", "val2.txt:2"),
        (["b 5", "../a 6"], "PATH_ESCAPE", "../a"),
    ],
)
def test_bad_lists(tmp_path, rows, code, part):
    devkit(tmp_path, XML, [*rows, "other 9"])
    assert code_of(lambda: read_ilsvrc(tmp_path, "val2"), part) == code


def test_missing_and_empty_lists(tmp_path):
    devkit(tmp_path, XML, [])
    assert read_ilsvrc(tmp_path, "val2").samples == ()
    assert code_of(lambda: read_ilsvrc(tmp_path, "val9"), "val9.txt") == "SPLIT_MISSING"
    assert code_of(lambda: read_ilsvrc(tmp_path, "../val2")) == "PATH_ESCAPE"


# FAULTS 26, 27, 37, 43: the same guards as for VOC.
def test_bad_annotations(tmp_path):
    xml = {
        "a": annotation(thing("zebra", (-5, 300, 0, 9)), thing("zebra", (9, 3, 0, 9)), thing("zebra", (300, 310, 0, 9)))
    }
    data = read_ilsvrc(devkit(tmp_path, xml, ["a 1"]), "val2")
    assert data.samples[0].truth.boxes.coordinates.tolist() == [[0, 0, 200, 10]]
    assert codes(data) == ["BOX_OUTSIDE", "BOX_DEGENERATE", "BOX_DEGENERATE"]
    xml = {"a": annotation(thing("unicorn", (0, 1, 0, 1)), thing("unicorn", (0, 1, 0, 1)), thing("n1", (0, 1, 0, 1)))}
    devkit(tmp_path, xml, ["a 1"])
    assert (
        code_of(lambda: read_ilsvrc(tmp_path, "val2"), "'unicorn' 2x", "bbox/a.xml: object 1", "'n1' 1x")
        == "CLASS_UNKNOWN"
    )
    devkit(tmp_path, {"a": b'<!DOCTYPE x [<!ENTITY a "b">]><annotation>&a;</annotation>'}, ["a 1"])
    assert code_of(lambda: read_ilsvrc(tmp_path, "val2"), "tar.gz/bbox/a.xml", "DOCTYPE") == "ANN_PARSE"


@pytest.fixture(scope="module")
def val2():
    """The devkit's second half of the validation images."""
    return read_dataset(FOLDER, "val2")


@needs_shared
def test_the_shipped_classes_are_the_devkits():
    with (FOLDER / "det_classes_200.csv").open(newline="") as file:
        rows = [f"{row['wnid']} {row['name']}" for row in csv.DictReader(file)]
    assert list(load_labels("ilsvrc_det").names) == rows


@needs_shared
def test_val2_as_read_by_another_parser(val2):
    data = val2
    assert len(data.samples) == 9917
    assert sum(len(sample.truth) for sample in data.samples) == 26_782
    assert sum(len(sample.truth) == 0 for sample in data.samples) == 677
    assert data.findings == ()
    assert data.excluded == ()  # its images and those of the blacklist have none in common
    truths = {sample.image_id: sample.truth for sample in data.samples}
    with tarfile.open(FOLDER / "val2_annotations.tar.gz") as archive:
        for _ in range(500):
            member = archive.next()
            if not member.name.endswith(".xml"):
                continue
            root = ElementTree.fromstring(archive.extractfile(member).read())
            corners = [
                [int(box.find(key).text) for key in ("xmin", "ymin", "xmax", "ymax")] for box in root.iter("bndbox")
            ]
            expected = np.add(np.reshape(corners, (-1, 4)), (0, 0, 1, 1))
            assert truths[root.findtext("filename")].boxes.coordinates.tolist() == expected.tolist()


@needs_shared
def test_demo_predictions_score_as_the_devkit_says(val2):
    data = val2
    index_of = {sample.number: index for index, sample in enumerate(data.samples)}
    rows = np.loadtxt(SHARED / "ilsvrc_det" / "demo_val2_predictions.txt")
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    images = [index_of[number] for number in rows[:, 0].astype(int).tolist()]
    table = DetectionTable(images, rows[:, 1] - 1, rows[:, 2], rows[:, 3:] + [0, 0, 1, 1])
    report = average_precision(match(table, data, RULES["ilsvrc"]), RULES["ilsvrc"])
    golden = (SHARED / "golden" / "ilsvrc_det_val2_demo_ap_first50.tsv").read_text().splitlines()
    assert len(golden) == 50
    for label, row in enumerate(golden):
        _, _, name, positives, ap = row.split("\t")
        assert data.labels.names[label] == name
        assert report.truths[label] == int(positives), name
        assert report.ap[label] == pytest.approx(float(ap), abs=1e-9), name
