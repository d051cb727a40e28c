from pathlib import Path

import numpy as np
import pytest
from hostile import with_orientation, write
from tiny_voc import SIZE, dataset, truth
from tiny_yolo import write_picture

from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.datasets.inspection import inspect, inspect_sizes, inspect_splits

CAT = (0, (10, 10, 50, 50), False)
DOG = (1, (20, 10, 60, 50), False)


def found(data, **options):
    """Code, place and level of each finding, but for the images that are not there."""
    return [(one.code, one.place, one.level) for one in inspect(data, **options) if one.code != "IMG_MISSING"]


def placed(tmp_path, pictures, size=SIZE):
    """A data set of pictures, all of which are said to be of a size."""
    samples = []
    for name, (width, height) in pictures.items():
        samples.append(Sample(name, write_picture(tmp_path / f"{name}.png", width, height), truth([CAT], size)))
    return Dataset(LabelSet(("cat",)), tuple(samples))


def test_nothing_odd_gives_no_finding(tmp_path):
    assert inspect(placed(tmp_path, {"a": (200, 100), "b": (200, 100)}), fewest=2) == []


# FAULTS 38: reported, and nothing is removed.
def test_duplicate_boxes():
    data = dataset([truth([CAT, DOG, CAT, CAT]), truth([CAT, (1, CAT[1], False)])])
    assert found(data, fewest=1) == [
        ("DUPLICATE_BOX", "box 3 (cat)", "warning"), ("DUPLICATE_BOX", "box 4 (cat)", "warning")
    ]  # fmt: skip
    assert len(data.samples[0].truth) == 4


# FAULTS 48
def test_large_small_and_many_boxes():
    rows = [
        (0, (0, 0, 200, 99), False),
        (0, (0, 0, 200, 99.5), False),
        (0, (5, 5, 7.5, 50), False),
        (0, (5, 5, 8, 8), False),
    ]
    infos = [("BOX_LARGE", "box 2 (cat)", "info"), ("BOX_SMALL", "box 3 (cat)", "info")]
    assert found(dataset([truth(rows), truth([DOG])]), fewest=1) == infos
    boxes = np.array([(x, y, x + 4, y + 4) for x in range(100) for y in range(4)], np.float32)
    for count, codes in ((300, []), (301, ["MANY_BOXES"])):
        many = GroundTruth(Boxes(boxes[:count], SIZE), np.zeros(count, int), np.zeros(count, bool))
        assert [code for code, _, _ in found(dataset([many, truth([DOG])]), fewest=1)] == codes


# FAULTS 47
def test_few_images_and_rare_classes():
    for truths in ([], [truth([CAT, DOG])]):
        assert ("FEW_IMAGES", f"{len(truths)} images", "error") in found(dataset(truths), fewest=1)
    data = dataset([truth([CAT, (*CAT[:2], True)]), truth([DOG]), truth([DOG])])
    rare = [finding for finding in inspect(data, fewest=2) if finding.code == "CLASS_RARE"]
    assert [(finding.place, finding.message[:7]) for finding in rare] == [
        ("cat", "1 boxes")
    ]  # difficult ones do not count


# FAULTS 47
def test_classes_that_only_val_has():
    train = dataset([truth([CAT])], names=("cat", "dog"))
    val = dataset([truth([(0, (1, 1, 5, 5), False), (1, (1, 1, 5, 5), False)])], names=("dog", "cat"))
    assert [(finding.code, finding.place) for finding in inspect_splits(train, val)] == [("CLASS_UNSEEN", "dog")]
    assert inspect_splits(val, train) == []
    assert inspect_splits(train, dataset([])) == []


# FAULTS 36
def test_a_set_without_any_object():
    assert ("NO_OBJECTS", "2 images", "error") in found(dataset([truth(), truth([(*CAT[:2], True)])]))
    assert ("IMG_NEGATIVE", "1 of 2 images", "info") in found(dataset([truth(), truth([CAT])]))


# FAULTS 35
def test_images_without_annotation_and_annotations_without_image(tmp_path):
    data = placed(tmp_path, {"a": (200, 100)})
    data = Dataset(
        data.labels, (*data.samples, Sample("b", tmp_path / "b.png"), Sample("c", tmp_path / "c.png", truth([CAT])))
    )
    codes = {finding.code: finding for finding in inspect(data, fewest=1)}
    assert set(codes) == {"IMG_MISSING", "ANN_MISSING"}
    assert (codes["IMG_MISSING"].place, codes["ANN_MISSING"].place) == ("2 of 3 images", "1 of 3 images")
    assert codes["IMG_MISSING"].file.endswith("b.png")


# FAULTS 37
@pytest.mark.parametrize("variant", ["Traffic light", "traffic_light", "trafficlight", "Traffic-Light"])
def test_class_names_that_differ_in_case_or_spaces(variant):
    data = dataset([truth([CAT, DOG]), truth()], names=("traffic light", "dog", variant))
    assert [place for code, place, _ in found(data, fewest=0) if code == "CLASS_SIMILAR"] == [variant]


# FAULTS 34
def test_declared_sizes(tmp_path):
    data = placed(tmp_path, {"right": (200, 100), "wrong": (210, 100), "turned": (100, 200)})
    wrong, turned = inspect_sizes(data)
    assert (wrong.code, wrong.file) == ("SIZE_MISMATCH", str(tmp_path / "wrong.png"))
    assert "210x100 as displayed, annotated as 200x100" in wrong.message
    assert "EXIF" in turned.message
    gone = Dataset(data.labels, (Sample("x", tmp_path / "gone.png", truth([CAT])), Sample("y", data.samples[0].path)))
    assert inspect_sizes(gone) == []


# FAULTS 34: the size as displayed is the right one.
def test_sizes_of_turned_and_damaged_pictures(tmp_path):
    path = write(tmp_path, "a.jpg", with_orientation(6))
    for size, count in ((Size(40, 20), 0), (Size(20, 40), 1)):
        box = truth([(0, (1, 1, 9, 9), False)], size)
        assert len(inspect_sizes(Dataset(LabelSet(("cat",)), (Sample("a", path, box),)))) == count
    path.write_bytes(b"")
    (finding,) = inspect_sizes(Dataset(LabelSet(("cat",)), (Sample("a", path, truth()),)))
    assert finding.code == "IMG_EMPTY"


def test_a_finding_is_one_line_without_gaps():
    assert str(inspect(dataset([]))[0]).startswith("FEW_IMAGES: 0 images: ")
    assert Path("x") not in inspect(dataset([]))
