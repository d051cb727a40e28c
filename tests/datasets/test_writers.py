from pathlib import Path

import numpy as np
import pytest
from data_faults import code_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from shared_data import SHARED, needs_shared
from tiny_voc import SIZE, dataset, truth
from tiny_yolo import write_picture

from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.datasets.coco_writer import write_coco
from googlenet_rcnn.datasets.tree import read_dataset
from googlenet_rcnn.datasets.voc_writer import write_voc
from googlenet_rcnn.datasets.yolo_writer import write_yolo

WRITERS = {
    "voc": lambda data, root, **options: write_voc(data, root, "train", **options),
    "coco": lambda data, root, **options: write_coco(data, root / "annotations/instances_train.json", **options),
    "yolo": lambda data, root, **options: write_yolo(data, root, "train", **options),
}


def random_dataset(seed: int, whole: bool = False, images: int = 5) -> Dataset:
    """Images of the same size with fractional or whole boxes, some without any; ids not in order of the alphabet."""
    generator = np.random.default_rng(seed)
    samples = []
    for index in range(images):
        count = int(generator.integers(0, 5)) if index else 0
        start = generator.uniform(0, (180, 80), (count, 2))
        boxes = np.hstack([start, start + generator.uniform(1, 20, (count, 2))])
        boxes = (np.round(boxes) if whole else boxes).astype(np.float32)
        labels, ignore = generator.integers(0, 3, count), generator.random(count) < 0.3
        areas = generator.uniform(1, 400, count)
        image_id = f"sub/{9 - index}"
        samples.append(
            Sample(image_id, Path(f"{image_id}.jpg"), GroundTruth(Boxes(boxes, SIZE), labels, ignore, areas))
        )
    return Dataset(LabelSet(("red fox", "it's <b>", "é: #1")), tuple(samples))


def written(form: str, data: Dataset, root: Path) -> Dataset:
    """The data set after a way through the format, with the pictures that YOLO needs for its sizes."""
    WRITERS[form](data, root)
    for sample in data.samples if form == "yolo" else ():
        size = sample.truth.size
        write_picture(root / "images/train" / f"{sample.image_id}.jpg", size.width, size.height)
    return read_dataset(root, "train")


def check_same(form: str, data: Dataset, back: Dataset, tolerance: float) -> None:
    """Counts, empties, labels and order are kept; boxes within the tolerance in pixels."""
    order = sorted(data.samples, key=lambda sample: sample.image_id) if form == "yolo" else data.samples
    assert back.labels.names == data.labels.names
    assert back.findings == ()
    assert [sample.image_id for sample in back.samples] == [sample.image_id for sample in order]
    for one, other in zip(order, back.samples, strict=True):
        assert other.truth.size == one.truth.size
        assert other.truth.labels.tolist() == one.truth.labels.tolist()
        np.testing.assert_allclose(other.truth.boxes.coordinates, one.truth.boxes.coordinates, atol=tolerance, rtol=0)
        if form != "yolo":
            assert other.truth.ignore.tolist() == one.truth.ignore.tolist()
        if form == "coco":
            assert other.truth.areas.tolist() == one.truth.areas.tolist()


# FAULTS 49
@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), whole=st.booleans())
def test_round_trips(form, tmp_path_factory, seed, whole):
    data = random_dataset(seed, whole)
    exact = whole and form != "yolo"
    check_same(form, data, written(form, data, tmp_path_factory.mktemp("x")), 0 if exact else 1e-4)


# FAULTS 49
def test_around_all_formats(tmp_path):
    data = random_dataset(3)
    back: Dataset = data
    for number, form in enumerate(("coco", "voc", "yolo", "voc", "coco", "yolo", "coco")):
        back = written(form, back, tmp_path / str(number))
    check_same("yolo", data, back, 1e-3)


@needs_shared
def test_voc_2007_through_coco_and_back(tmp_path):
    data = read_dataset(SHARED / "VOCdevkit", "val")
    part = Dataset(data.labels, data.samples[:100])
    coco = written("coco", part, tmp_path / "coco")
    voc = written("voc", coco, tmp_path / "voc")
    for one, other in zip(part.samples, voc.samples, strict=True):
        assert one.image_id == other.image_id
        assert one.truth.boxes.coordinates.tobytes() == other.truth.boxes.coordinates.tobytes()
        assert one.truth.ignore.tolist() == other.truth.ignore.tolist()


@pytest.mark.parametrize("form", WRITERS)
def test_equal_data_gives_equal_bytes(tmp_path, form):
    for name in ("a", "b"):
        WRITERS[form](random_dataset(1), tmp_path / name)
    files = [sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in ("a", "b")]
    assert len(files[0]) >= 1
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("form", WRITERS)
def test_nothing_is_overwritten_unless_said(tmp_path, form):
    WRITERS[form](random_dataset(1), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert code_of(lambda: WRITERS[form](random_dataset(2), tmp_path), "--overwrite") == "OUT_EXISTS"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    WRITERS[form](random_dataset(2), tmp_path, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} != before


@pytest.mark.parametrize("form", WRITERS)
def test_no_images_and_images_that_cannot_be_written(tmp_path, form):
    box = truth([(0, (1, 1, 2, 2), False)])
    assert code_of(lambda: WRITERS[form](dataset([box, None]), tmp_path), "000001") == "ANN_MISSING"
    for name, code in (("a b", "ID_UNWRITABLE"), ("../a", "PATH_ESCAPE"), ("/a", "PATH_ESCAPE")):
        odd = Dataset(LabelSet(("cat",)), (Sample(name, Path("a.jpg"), box),))
        assert code_of(lambda odd=odd: WRITERS[form](odd, tmp_path)) == code
    twice = Dataset(LabelSet(("cat",)), (Sample("a", Path("a.jpg"), box), Sample("a", Path("a.png"), box)))
    assert code_of(lambda: WRITERS[form](twice, tmp_path)) == "ID_UNWRITABLE"
    assert list(tmp_path.iterdir()) == []
    WRITERS[form](dataset([]), tmp_path)
    if form == "yolo":
        (tmp_path / "images/train").mkdir(parents=True)
    assert read_dataset(tmp_path, "train").samples == ()


def test_numbers_that_came_with_the_data_are_kept(tmp_path):
    sample = Sample("a", Path("a.png"), truth([(1, (1, 1, 2, 2), False)]), 77)
    write_coco(Dataset(LabelSet(("cat", "dog"), (18, 90)), (sample,)), tmp_path / "x.json")
    peer = COCO(tmp_path / "x.json")
    assert peer.loadImgs([77])[0]["file_name"] == "a.png"
    assert [row["category_id"] for row in peer.imgToAnns[77]] == [90]
    assert [row["id"] for row in peer.imgToAnns[77]] == [1]


def test_a_second_split_joins_the_first(tmp_path):
    for split in ("train", "val"):
        write_voc(random_dataset(1), tmp_path / "voc", split)
        write_yolo(random_dataset(1), tmp_path / "yolo", split)
    assert [len(read_dataset(tmp_path / "voc", split).samples) for split in ("train", "val")] == [5, 5]
    other = Dataset(LabelSet(("x",)), ())
    assert code_of(lambda: write_yolo(other, tmp_path / "yolo", "test"), "data.yaml") == "OUT_EXISTS"


# FAULTS 42: what a format cannot say is told.
def test_yolo_cannot_say_that_an_object_is_to_be_ignored(tmp_path):
    data = dataset([truth([(0, (1, 1, 9, 9), True), (1, (1, 1, 9, 9), False)], Size(20, 20))])
    (finding,) = write_yolo(data, tmp_path, "train")
    assert (finding.code, finding.place) == ("IGNORE_LOST", "1 boxes")


def test_class_names_that_files_do_not_keep(tmp_path):
    for name in ("a\nb", "a\x01"):
        data = Dataset(LabelSet((name,)), ())
        assert code_of(lambda data=data: write_voc(data, tmp_path, "train")) == "CLASS_UNWRITABLE"
        assert code_of(lambda data=data: write_yolo(data, tmp_path, "train")) == "CLASS_UNWRITABLE"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    for form, write in WRITERS.items():
        assert code_of(lambda write=write: write(random_dataset(1), tmp_path / "file"), "file") == "OUT_UNWRITABLE", (
            form
        )
