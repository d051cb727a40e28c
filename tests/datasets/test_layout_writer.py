"""Splits in the layouts that are written, with their pictures."""

from dataclasses import replace

import pytest
from data_faults import code_of
from tiny_voc import SIZE, dataset, truth
from tiny_yolo import write_picture

from googlenet_rcnn.datasets.layout_writer import KINDS, place_pictures, refuse_taken, write_annotations
from googlenet_rcnn.datasets.tree import read_dataset


@pytest.fixture
def data(tmp_path):
    """Two images with their pictures, the second without objects."""
    made = dataset([truth([(0, (10, 10, 50, 50), False)]), truth()])
    samples = [
        replace(sample, path=write_picture(tmp_path / "from" / f"{sample.image_id}.png", SIZE.width, SIZE.height))
        for sample in made.samples
    ]
    return replace(made, samples=samples)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("placing", ["copy", "link"])
def test_the_pictures_lie_where_the_reader_looks(data, tmp_path, kind, placing):
    place_pictures(kind, data, tmp_path / "to", "train", placing, overwrite=False)
    write_annotations(kind, data, tmp_path / "to", "train", overwrite=False)
    back = read_dataset(tmp_path / "to", "train")
    assert [sample.image_id for sample in back.samples] == [sample.image_id for sample in data.samples]
    for one, other in zip(data.samples, back.samples, strict=True):
        assert other.path.read_bytes() == one.path.read_bytes()
        assert other.path.is_symlink() == (placing == "link")
    assert not list(tmp_path.rglob("*.tmp"))


def test_none_places_nothing_even_where_pictures_lack(data, tmp_path):
    data.samples[0].path.unlink()
    place_pictures("voc", data, tmp_path / "to", "train", "none", overwrite=False)
    assert not (tmp_path / "to").exists()
    call = lambda: place_pictures("voc", data, tmp_path / "to", "train", "copy", overwrite=False)  # noqa: E731
    assert code_of(call, "000000.png", "1 of them") == "IMG_MISSING"
    assert not (tmp_path / "to").exists()


def test_another_picture_in_the_place_is_not_replaced_unasked(data, tmp_path):
    for overwrite in (False, False):  # the same picture again is a run that goes on
        place_pictures("yolo", data, tmp_path / "to", "train", "copy", overwrite)
    target = tmp_path / "to/images/train/000001.png"
    target.write_bytes(b"mine")
    call = lambda: place_pictures("yolo", data, tmp_path / "to", "train", "copy", overwrite=False)  # noqa: E731
    assert code_of(call, target, "--overwrite") == "OUT_EXISTS"
    assert target.read_bytes() == b"mine"
    place_pictures("yolo", data, tmp_path / "to", "train", "copy", overwrite=True)
    assert target.read_bytes() == data.samples[1].path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_split_that_is_there_is_refused_before_work(data, tmp_path, kind):
    refuse_taken(kind, tmp_path / "to", ["train", "val"], overwrite=False)
    write_annotations(kind, data, tmp_path / "to", "val", overwrite=False)
    assert code_of(lambda: refuse_taken(kind, tmp_path / "to", ["train", "val"], False), "val") == "OUT_EXISTS"
    refuse_taken(kind, tmp_path / "to", ["train"], overwrite=False)
    refuse_taken(kind, tmp_path / "to", ["val"], overwrite=True)
