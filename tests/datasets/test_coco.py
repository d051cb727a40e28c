import json

import numpy as np
import pytest
from data_faults import code_of, codes
from pycocotools.coco import COCO
from tiny_coco import instances, thing, write_instances
from tiny_yolo import write_picture

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.coco import read_coco
from googlenet_rcnn.datasets.tree import read_dataset

PICTURE = {"id": 1, "file_name": "a.jpg", "width": 5, "height": 3}


def read(tmp_path, *annotations, **options):
    return read_coco(write_instances(tmp_path, instances(annotations, **options)), "train")


def test_boxes_labels_order_and_numbers(tmp_path):
    data = read(tmp_path, thing(1, (10, 20, 30.5, 40), 11, 4), thing(2, (0, 0, 200, 100), 11, 3), images=3)
    assert [sample.image_id for sample in data.samples] == ["000000", "000001", "000002"]
    assert [sample.number for sample in data.samples] == [10, 11, 12]
    assert [len(sample.truth) for sample in data.samples] == [0, 2, 0]  # FAULTS 35: negatives stay
    truth = data.samples[1].truth
    assert truth.boxes.coordinates.tolist() == [[10, 20, 40.5, 60], [0, 0, 200, 100]]
    assert truth.labels.tolist() == [1, 0]
    assert truth.size == Size(100, 200)
    assert (data.labels.names, data.labels.ids) == (("cat", "dog"), (3, 4))
    assert data.samples[0].path == tmp_path / "train2017" / "000000.jpg"
    assert data.findings == ()


# FAULTS 42
def test_crowds_and_areas_are_kept(tmp_path):
    data = read(tmp_path, thing(1, area=77.5), thing(2, iscrowd=1), thing(3, ignore=1), thing(4, iscrowd=True))
    assert data.samples[0].truth.ignore.tolist() == [False, True, True, True]
    assert data.samples[0].truth.areas.tolist() == [77.5, 1200, 1200, 1200]


# FAULTS 41, table of section 4
def test_missing_fields_get_their_defaults(tmp_path):
    data = read(
        tmp_path, thing(1, iscrowd=..., area=...), thing(2, area=[50]), thing(3, area=[1, 2]), thing(4, area=None)
    )
    assert data.samples[0].truth.areas.tolist() == [1200, 50, 1200, 1200]
    assert not data.samples[0].truth.ignore.any()
    assert codes(data) == ["ANN_DEFAULTED", "ANN_DEFAULTED"]
    assert "annotations[0].iscrowd" in str(data.findings[0])
    assert "in 3 annotations" in str(data.findings[1])


# FAULTS 39, table of section 4: pycocotools gives AP 0.252 for perfect detections if ids start at 0.
@pytest.mark.parametrize("numbers", [(0, 1), (5, 5), (..., ...), (-1, 2)])
def test_ids_of_annotations_are_given_anew(tmp_path, numbers):
    data = read(tmp_path, *(thing(id=number) for number in numbers))
    assert len(data.samples[0].truth) == 2
    assert codes(data) == ["ANN_DEFAULTED"]
    assert "new ids" in data.findings[0].message


# FAULTS 39
def test_repeated_ids_of_images_and_categories(tmp_path):
    content = instances([thing()])
    content["images"].append(content["images"][0])
    data = read_coco(write_instances(tmp_path, content), "train")
    assert (len(data.samples), codes(data)) == (2, ["DUPLICATE_ID"])
    content["images"].append(content["images"][0] | {"file_name": "z.jpg"})
    write_instances(tmp_path, content)
    assert code_of(lambda: read_coco(tmp_path, "train"), "images[3].id", "images[0]") == "DUPLICATE_ID"
    content = instances()
    content["images"].append({"id": 0, "file_name": "000000.png", "width": 5, "height": 5})
    write_instances(tmp_path, content)
    assert code_of(lambda: read_coco(tmp_path, "train"), "images[2].file_name", "images[0]") == "DUPLICATE_ID"
    content = instances()
    content["categories"].append({"id": 3, "name": "cow"})
    write_instances(tmp_path, content)
    assert code_of(lambda: read_coco(tmp_path, "train"), "categories[2].id") == "DUPLICATE_ID"


# FAULTS 37
def test_category_names_twice(tmp_path):
    content = instances(categories=("cat", "dog", " cat "))
    assert (
        code_of(lambda: read_coco(write_instances(tmp_path, content), "train"), "categories[2].name", "categories[0]")
        == "DUPLICATE_CLASS"
    )


# FAULTS 40
def test_unknown_ids_are_listed(tmp_path):
    rows = [thing(1, image=99), thing(2), thing(3, image=99), thing(4, image=98)]
    assert code_of(lambda: read(tmp_path, *rows), "99 (annotations[0]), 98 (annotations[3])") == "ANN_UNKNOWN_ID"
    many = [thing(number, category=100 + number) for number in range(12)]
    assert code_of(lambda: read(tmp_path, *many), "category_id 100", "4 more") == "ANN_UNKNOWN_ID"


# FAULTS 26, 27, table of section 4: left out and listed, never scored.
def test_boxes_without_area_or_outside(tmp_path):
    data = read(
        tmp_path, thing(1, (5, 5, 0, 9)), thing(2, (-5, 90, 20, 20)), thing(3, (300, 0, 5, 5)), thing(4, area=9)
    )
    truth = data.samples[0].truth
    assert truth.boxes.coordinates.tolist() == [[0, 90, 15, 100], [10, 20, 40, 60]]
    assert truth.areas.tolist() == [1200, 9]
    assert codes(data) == ["BOX_DEGENERATE", "BOX_OUTSIDE", "BOX_DEGENERATE"]
    assert "annotations[2] (cat)" in str(data.findings[2])


# FAULTS 26, 30, 31, 41
@pytest.mark.parametrize(
    ("fields", "code", "part"),
    [
        ({"bbox": [1, 2, -3, 4]}, "BOX_NEGATIVE", "annotations[1].bbox"),
        ({"bbox": [1, 2, 3]}, "ANN_BAD_FIELD", "annotations[1].bbox"),
        ({"bbox": [1, 2, 3, 4, 5]}, "ANN_BAD_FIELD", "four numbers"),
        ({"bbox": "1 2 3 4"}, "ANN_BAD_FIELD", "annotations[1].bbox"),
        ({"bbox": [1, "2", 3, 4]}, "ANN_BAD_FIELD", "annotations[1].bbox[1]"),
        ({"bbox": [1, True, 3, 4]}, "ANN_BAD_FIELD", "annotations[1].bbox[1]"),
        ({"bbox": [1, 2, 3, 10**400]}, "ANN_BAD_NUMBER", "annotations[1].bbox[3]"),
        ({"bbox": [1, 2, 3, 1e30]}, "ANN_BAD_NUMBER", "annotations[1] (cat)"),
        ({"bbox": ...}, "ANN_MISSING_FIELD", "annotations[1].bbox"),
        ({"area": "12"}, "ANN_BAD_FIELD", "annotations[1].area"),
        ({"area": -1}, "ANN_BAD_FIELD", "annotations[1].area"),
        ({"iscrowd": 2}, "ANN_BAD_FIELD", "annotations[1].iscrowd"),
        ({"iscrowd": "0"}, "ANN_BAD_FIELD", "annotations[1].iscrowd"),
        ({"image_id": "10"}, "ANN_BAD_FIELD", "annotations[1].image_id"),
        ({"category_id": 3.0}, "ANN_BAD_FIELD", "annotations[1].category_id"),
        ({"category_id": None}, "ANN_BAD_FIELD", "annotations[1].category_id"),
        ({"id": "x"}, "ANN_BAD_FIELD", "annotations[1].id"),
    ],
)
def test_bad_annotations(tmp_path, fields, code, part):
    assert code_of(lambda: read(tmp_path, thing(1), thing(2, **fields)), part, "train2017.json") == code


@pytest.mark.parametrize(
    ("content", "code", "part"),
    [
        ([], "ANN_BAD_FIELD", "expected an object"),
        ({}, "ANN_MISSING_FIELD", "categories"),
        (instances() | {"images": {}}, "ANN_BAD_FIELD", "images"),
        (instances() | {"categories": []}, "ANN_MISSING_FIELD", "categories"),
        (instances() | {"annotations": [7]}, "ANN_BAD_FIELD", "annotations[0]"),
        (instances() | {"images": [{"id": 1}]}, "ANN_MISSING_FIELD", "images[0].file_name"),
        (instances() | {"images": [PICTURE | {"width": 0}]}, "SIZE_MISMATCH", "images[0]"),
        (instances() | {"images": [PICTURE | {"width": "9"}]}, "ANN_BAD_FIELD", "images[0].width"),
        (instances() | {"categories": [{"id": 1, "name": ""}]}, "ANN_BAD_FIELD", "categories[0].name"),
    ],
)  # fmt: skip
def test_bad_files(tmp_path, content, code, part):
    assert code_of(lambda: read_coco(write_instances(tmp_path, content), "train"), part) == code


# FAULTS 45
@pytest.mark.parametrize(
    "name", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", "C:\\a.jpg", "a\\b.jpg", "http://x/a.jpg", "a//../b.jpg"]
)
def test_names_that_lead_outside(tmp_path, name):
    content = instances()
    content["images"][1]["file_name"] = name
    write_instances(tmp_path, content)
    assert code_of(lambda: read_coco(tmp_path, "train"), "images[1].file_name") == "PATH_ESCAPE"


# FAULTS 34
def test_a_missing_or_impossible_size_is_taken_from_the_picture(tmp_path):
    content = instances([thing()])
    content["images"][0] |= {"width": -1}
    del content["images"][1]["height"]
    for image in content["images"]:
        write_picture(tmp_path / "train2017" / image["file_name"], 200, 90)
    data = read_coco(write_instances(tmp_path, content), "train")
    assert [sample.truth.size for sample in data.samples] == [Size(90, 200)] * 2
    assert codes(data) == ["SIZE_MISMATCH"] * 2


# FAULTS 29
def test_corners_instead_of_sides_are_suspected(tmp_path):
    corners = [(x, y, x + 40, y + 30) for x in range(0, 150, 10) for y in (0, 30, 69)]
    data = read(tmp_path, *(thing(number, box) for number, box in enumerate(corners, start=1)))
    suspect = next(finding for finding in data.findings if finding.code == "BOX_FORMAT_SUSPECT")
    assert "x1 y1 x2 y2 in pixels" in suspect.message


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/instances_train.json", "images/train"),
        ("annotations/instances_train.json", "images"),
        ("train/_annotations.coco.json", "train"),
        ("train.json", "."),
        ("instances_train.json", "train"),
    ],
)
def test_where_files_and_pictures_lie(tmp_path, name, pictures):
    write_instances(tmp_path, instances([thing()]), name)
    write_picture(tmp_path / pictures / "000000.jpg")
    for root in (tmp_path, tmp_path / name):
        data = read_dataset(root, "train")
        assert data.samples[0].path.is_file()
        assert len(data.samples[0].truth) == 1


def test_the_split_is_a_word_of_the_name(tmp_path):
    for number, name in enumerate(("trainval2017", "train2017", "val2017"), start=1):
        write_instances(tmp_path, instances(images=number), f"annotations/instances_{name}.json")
    write_instances(tmp_path, "[]", "annotations/captions_val2017.json")
    assert [len(read_coco(tmp_path, split).samples) for split in ("trainval", "train", "val", "val2017")] == [
        1,
        2,
        3,
        3,
    ]
    assert code_of(lambda: read_coco(tmp_path, "test"), "instances_val2017.json") == "SPLIT_MISSING"
    assert code_of(lambda: read_coco(tmp_path, "../train")) == "PATH_ESCAPE"
    write_instances(tmp_path, instances(), "annotations/instances_val2014.json")
    assert code_of(lambda: read_coco(tmp_path, "val"), "val2014", "val2017") == "DATA_AMBIGUOUS"
    assert code_of(lambda: read_coco(tmp_path / "gone", "val")) == "DATA_MISSING"


def test_pycocotools_reads_the_same_boxes(tmp_path):
    generator = np.random.default_rng(0)
    rows = [
        thing(number, (*generator.integers(0, 50, 2).tolist(), *generator.integers(1, 50, 2).tolist()), 10 + number % 5)
        for number in range(1, 60)
    ]
    write_instances(tmp_path, instances(rows, images=6))
    peer = COCO(tmp_path / "annotations/instances_train2017.json")
    for sample in read_coco(tmp_path, "train").samples:
        theirs = np.array([row["bbox"] for row in peer.imgToAnns[sample.number]]).reshape(-1, 4)
        ours = sample.truth.boxes.coordinates
        assert np.array_equal(np.hstack([ours[:, :2], ours[:, 2:] - ours[:, :2]]), theirs)


def test_nothing_at_all_is_ordinary(tmp_path):
    data = read_coco(write_instances(tmp_path, instances(images=0)), "train")
    assert (data.samples, data.findings) == ((), ())
    assert json.loads((tmp_path / "annotations/instances_train2017.json").read_text())["images"] == []
