import io
import os
import sys
from types import SimpleNamespace

import pytest
from hostile import odd_names

from googlenet_rcnn.cli.inputs import ImageFile, find_images
from googlenet_rcnn.core.errors import DataError, UsageError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def below(folder, *names):
    return [ImageFile(os.path.splitext(name)[0], os.path.join(str(folder), name)) for name in names]


def test_file_keeps_its_path_as_given_and_its_stem_as_id():
    assert find_images(["some/photo.v2.jpg"]) == [ImageFile("photo.v2", "some/photo.v2.jpg")]


def test_folder_is_searched_sorted_and_gives_ids_below_it(tmp_path):
    touch(tmp_path, "z.jpg", "a.PNG", "sub/b.webp", "sub/deep/c.tiff", "notes.md", "x.xml")
    expected = below(tmp_path, "a.PNG", "z.jpg", "sub/b.webp", "sub/deep/c.tiff")
    assert find_images([str(tmp_path)]) == expected
    assert [file.image_id for file in expected] == ["a", "z", "sub/b", "sub/deep/c"]


def test_hidden_files_and_folders_are_left_out_of_a_folder(tmp_path):
    touch(tmp_path, "a.jpg", "._a.jpg", ".thumbnails/a.jpg")
    assert find_images([str(tmp_path)]) == below(tmp_path, "a.jpg")


def test_links_cannot_trap_a_search(tmp_path):
    touch(tmp_path, "a.jpg")
    os.symlink(tmp_path, tmp_path / "again")
    os.symlink(tmp_path / "loop.jpg", tmp_path / "loop.jpg")
    assert find_images([str(tmp_path)]) == below(tmp_path, "a.jpg", "loop.jpg")


def test_glob_is_sorted_and_searches_below(tmp_path):
    touch(tmp_path, "b.jpg", "a.jpg", "sub/c.jpg", "d.png")
    assert find_images([f"{tmp_path}/*.jpg"]) == below(tmp_path, "a.jpg", "b.jpg")
    found = find_images([f"{tmp_path}/**/*.jpg"])
    assert [file.image_id for file in found] == ["a", "b", "c"]


def test_name_with_brackets_is_a_file_and_no_glob(tmp_path):
    touch(tmp_path, "photo[1].jpg")
    assert find_images([f"{tmp_path}/photo[1].jpg"])[0].image_id == "photo[1]"


def test_list_file_may_come_from_windows(tmp_path):
    (tmp_path / "list.txt").write_bytes("\ufeffa.jpg\r\n\r\n  b c.jpg \r\nфото.jpg".encode())
    assert [file.path for file in find_images([f"{tmp_path}/list.txt"])] == ["a.jpg", "b c.jpg", "фото.jpg"]


def test_only_line_ends_separate_the_names_of_a_list(tmp_path):
    (tmp_path / "list.txt").write_text("a\u2028b.jpg\nc\x0bd.jpg\n")
    assert [file.path for file in find_images([f"{tmp_path}/list.txt"])] == ["a\u2028b.jpg", "c\x0bd.jpg"]


def test_list_on_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a.jpg\nb.jpg\n")))
    assert [file.path for file in find_images(["-", "c.jpg"])] == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("data", [None, b"caf\xe9.jpg\n"])
def test_list_that_cannot_be_read_is_a_usage_error(tmp_path, data):
    if data is not None:
        (tmp_path / "list.txt").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        find_images([f"{tmp_path}/list.txt"])
    assert caught.value.code == "LIST_UNREADABLE"


def test_nothing_named_and_nothing_found_are_told_apart(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(UsageError):
        find_images([])
    for argument in (tmp_path, f"{tmp_path}/*.jpg", f"{tmp_path}/empty.txt"):
        with pytest.raises(DataError) as caught:
            find_images([str(argument)])
        assert caught.value.code == "NO_IMAGES"


def test_missing_file_is_kept_to_fail_on_its_own():
    assert find_images(["gone.jpg"]) == [ImageFile("gone", "gone.jpg")]


def test_odd_names_are_found_in_a_folder_and_alone(tmp_path):
    paths = [os.path.join(os.fsencode(tmp_path), name) for name in odd_names()]
    for path in paths:
        with open(path, "wb"):
            pass
    in_folder = find_images([str(tmp_path)])
    assert sorted(os.fsencode(file.path) for file in in_folder) == sorted(paths)
    assert [os.fsencode(file.path) for file in find_images(map(os.fsdecode, paths))] == paths


def test_image_given_twice_is_there_twice():
    assert len(find_images(["a.jpg", "a.jpg", "./a.jpg"])) == 3
