"""Pictures' paths: fit for every system, and one for each image."""

import ntpath
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as some

from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.cli.pictures import picture_paths, portable

IDS = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=300) | some.from_regex(
    r"\A(con|NUL|Com1|lpt9|aux)[ .:\\/]{0,2}[a-z*]{0,3}\Z"
)


def reserved(name):
    """Whether Windows refuses a name, by the word of Python's own library."""
    return ntpath.isreserved(name) if hasattr(ntpath, "isreserved") else PureWindowsPath(name).is_reserved()


@given(IDS)
def test_windows_can_hold_every_part_of_a_path(image_id):
    parts = portable(image_id).split("/")
    assert len(parts) == image_id.count("/") + 1
    for part in filter(None, parts):
        assert not reserved(f"{part}.jpg"), part
        assert not set(part) & set('<>:"\\|?*\0\n')
        assert part[-1] not in ". "
        assert len(part.encode()) <= 200


@pytest.mark.parametrize("image_id", ["000001", "holiday/beach 2", "caf\u00e9", "a.b", "console", "com", "nullity/.x"])
def test_ordinary_names_stay_as_they_are(image_id):
    assert portable(image_id) == image_id


@pytest.mark.parametrize(
    ("image_id", "path"),
    [
        ("caf\\xe9", "caf%5Cxe9"),
        ("12:30", "12%3A30"),
        ("..", ".%2E"),
        ("end.", "end%2E"),
        ("con", "con_"),
        ("Nul.2024/aux", "Nul_.2024/aux_"),
    ],
)
def test_what_windows_forbids_is_written_in_another_way(image_id, path):
    assert portable(image_id) == path


def test_each_image_has_a_picture_of_its_own():
    files = [ImageFile(name, f"in/{number}.png") for number, name in enumerate(("a:b", "a%3Ab", "A:b", "con", "con_"))]
    paths = picture_paths(files, [], Path("out"))
    assert [path.name for path in paths] == ["a%3Ab.jpg", "a%3Ab~2.jpg", "A%3Ab~3.jpg", "con_.jpg", "con_~2.jpg"]
