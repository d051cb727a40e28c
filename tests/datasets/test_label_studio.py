"""Label Studio's JSON export."""

import pytest
from data_faults import code_of, codes
from tiny_coco import instances, write_instances
from tiny_label_studio import SIZED, export, rectangle, task
from tiny_yolo import write_picture

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.findings import Findings
from googlenet_rcnn.datasets.label_studio import read_label_studio
from googlenet_rcnn.datasets.tree import read_dataset, recognise


def test_percent_become_pixels_and_negatives_stay(tmp_path):
    write_picture(tmp_path / "images" / "b.jpg", 60, 50)
    path = export(tmp_path, task(rectangle(("dog",)), rectangle(x=0, y=0, width=100, height=100)), task(image="b.jpg"))
    for root in (path, tmp_path):
        data = read_dataset(root, "default")
        assert data.labels.names == ("cat", "dog")
        assert [sample.image_id for sample in data.samples] == ["0a1b2c3d-a", "b"]
        truth = data.samples[0].truth
        assert truth.boxes.coordinates.tolist() == [[20, 20, 80, 60], [0, 0, 200, 100]]
        assert truth.labels.tolist() == [1, 0]
        assert (len(data.samples[1].truth), data.samples[1].truth.size) == (0, Size(50, 60))
        assert data.samples[1].path == tmp_path / "images" / "b.jpg"
        assert data.findings == ()
    assert (recognise(tmp_path).kind, recognise(tmp_path).splits()) == ("label-studio", ["default"])


@pytest.mark.parametrize(
    ("image", "file"),
    [
        ("/data/upload/1/0a1b2c3d-a.jpg", "a.jpg"),
        ("/data/upload/1/0a1b2c3d-a.jpg", "images/0a1b2c3d-a.jpg"),
        ("/data/local-files/?d=shelf/a%20b.jpg", "shelf/a b.jpg"),
        ("https://example.org/some/a.jpg?sig=1", "a.jpg"),
        ("s3://bucket/some/a.jpg", "images/a.jpg"),
    ],
)
def test_where_pictures_are_found(tmp_path, image, file):
    write_picture(tmp_path / file)
    (sample,) = read_label_studio(export(tmp_path, task(rectangle(), image=image)), "default").samples
    assert sample.path == tmp_path / file


def test_turned_rectangles_become_the_box_around_them(tmp_path):
    # 60x40 pixels at 100, 30, turned clockwise about its upper left corner
    data = read_label_studio(export(tmp_path, task(rectangle(x=50, y=30, rotation=90))), "default")
    assert data.samples[0].truth.boxes.coordinates.tolist() == [pytest.approx([60, 30, 100, 90], abs=1e-4)]
    assert codes(data) == ["BOX_ROTATED"]
    assert "90 degrees" in data.findings[0].message


def test_what_was_not_annotated_is_left_out_and_told(tmp_path):
    bare = {"id": 2, "data": {"image": "b.jpg"}, "annotations": []}
    skipped = task(rectangle(), image="c.jpg", was_cancelled=True)
    data = read_label_studio(export(tmp_path, task(rectangle()), bare, skipped), "default")
    assert len(data.samples) == 1
    assert codes(data) == ["NOT_ANNOTATED"]
    assert (data.findings[0].place, data.findings[0].message[:7]) == ("[1]", "2 tasks")


def test_of_several_annotations_the_ground_truth_counts(tmp_path):
    several = task(rectangle())
    several["annotations"].append({"result": [rectangle(("dog",))], "ground_truth": True})
    data = read_label_studio(export(tmp_path, several), "default")
    assert (data.labels.names, codes(data)) == (("dog",), ["ANN_SEVERAL"])


def test_other_shapes_are_told_and_other_results_are_not(tmp_path):
    polygon = {"type": "polygonlabels", "value": {"points": [[1, 1]], "polygonlabels": ["cat"]}}
    choice = {"type": "choices", "value": {"choices": ["indoors"]}}
    data = read_label_studio(export(tmp_path, task(rectangle(), polygon, choice)), "default")
    assert (len(data.samples[0].truth), codes(data), data.samples[0].exhaustive) == (1, ["SHAPE_IGNORED"], False)
    plain = read_label_studio(export(tmp_path, task(rectangle(("cat", "dog"), kind="labels"), choice)), "default")
    assert (plain.labels.names, plain.findings) == (("cat", "dog"), ())
    assert len(plain.samples[0].truth) == 2  # a box with two labels is two objects


# FAULTS 26, 27, 30, 31, 33, 45: one bad rectangle does not hide the others.
@pytest.mark.parametrize(
    ("bad", "code", "place"),
    [
        (task(rectangle(x="10"), image="b.jpg"), "ANN_BAD_FIELD", "[1].annotations[0].result[0].value.x"),
        (task(rectangle(width=-1), image="b.jpg"), "BOX_NEGATIVE", "[1].annotations[0].result[0].value.width"),
        (
            task(rectangle(labels=()), image="b.jpg"),
            "ANN_BAD_FIELD",
            "[1].annotations[0].result[0].value.rectanglelabels",
        ),
        (
            task({"type": "rectanglelabels", **SIZED}, image="b.jpg"),
            "ANN_MISSING_FIELD",
            "[1].annotations[0].result[0].value",
        ),
        (task(image="/data/local-files/?d=../../a.jpg"), "PATH_ESCAPE", "[1].data.image"),
        (task(image=3), "ANN_BAD_FIELD", "[1].data.image"),
        (task(rectangle(), image="x/0a1b2c3d-a.jpg"), "DUPLICATE_ID", "[1]"),
        ({"image": "a.jpg", "label": []}, "ANN_MISSING_FIELD", "[1].annotations"),
        ([], "ANN_BAD_FIELD", "[1]"),
        (task(image="gone.jpg"), "IMG_MISSING", ""),
    ],
)
def test_bad_tasks(tmp_path, bad, code, place):
    path = export(tmp_path, task(rectangle()), bad)
    assert code_of(lambda: read_label_studio(path, "default"), place) == code
    findings = Findings(collected=True)
    data = read_label_studio(path, "default", findings)
    assert [(one.code, one.place, one.level) for one in findings] == [(code, place, "error")]
    assert len(data.samples[0].truth) == 1


def test_files_that_are_no_export(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    assert code_of(lambda: read_label_studio(tmp_path / "a.json", "default"), "no rectangle") == "LABELS_MISSING"
    (tmp_path / "a.json").write_text('[{"annotations": ')
    assert code_of(lambda: read_label_studio(tmp_path / "a.json", "default")) == "ANN_PARSE"
    assert code_of(lambda: read_label_studio(tmp_path / "none", "default")) == "DATA_UNRECOGNISED"


def test_other_splits_and_other_layouts_beside_it(tmp_path):
    path = export(tmp_path, task(rectangle()))
    assert code_of(lambda: read_dataset(path, "train"), "'default'") == "SPLIT_MISSING"
    (tmp_path / "results.json").write_text("[]")
    assert recognise(tmp_path).kind == "label-studio"
    write_instances(tmp_path, instances())
    assert code_of(lambda: recognise(tmp_path), "Label Studio", "COCO") == "DATA_AMBIGUOUS"
    assert recognise(path).kind == "label-studio"
