import pytest
from PIL import Image

from googlenet_rcnn.cli.bench import pictures as bench_pictures
from googlenet_rcnn.cli.bench.pictures import write_photographs
from googlenet_rcnn.core.errors import UsageError


def test_photographs_of_installed_packages_in_the_size_of_voc(tmp_path):
    paths = write_photographs(tmp_path)
    assert len(paths) >= 3
    assert len(set(paths)) == len(paths)
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode, picture.format) == ((500, 375), "RGB", "JPEG")
            assert min(high - low for low, high in picture.getextrema()) > 150


def test_they_are_the_same_every_time(tmp_path):
    (tmp_path / "again").mkdir()
    pairs = zip(write_photographs(tmp_path), write_photographs(tmp_path / "again"), strict=True)
    assert all(one.read_bytes() == other.read_bytes() for one, other in pairs)


def test_without_those_packages_pictures_must_be_given(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_pictures, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="NO_IMAGES"):
        write_photographs(tmp_path)
