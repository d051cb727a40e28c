import os
from pathlib import Path

import pytest

from googlenet_rcnn.cli.report_folder import check_report_folder, write_report
from googlenet_rcnn.core.errors import UsageError


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def refused(folder, data, overwrite=False):
    with pytest.raises(UsageError) as caught:
        check_report_folder(folder, data, overwrite)
    assert str(folder) in caught.value.message
    return caught.value.code


def test_new_empty_and_foreign_folders_are_taken_and_not_made(tmp_path, data):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "notes.txt").write_text("mine")
    for folder in (tmp_path / "new", tmp_path / "a" / "b", tmp_path / "old"):
        check_report_folder(folder, data, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "old"]


# FAULTS 82: each of these before any work.
def test_what_cannot_hold_a_report_is_refused(tmp_path, data):
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file", data) == "OUT_UNWRITABLE"
    assert refused(tmp_path / "file" / "below", data) == "OUT_UNWRITABLE"
    os.symlink(tmp_path / "nowhere" / "deep", tmp_path / "dangling")
    check_report_folder(tmp_path / "dangling", data, False)
    assert refused(data / "report", data) == refused(data, data) == "OUT_IN_DATA"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_refused(tmp_path, data):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert refused(tmp_path / "locked" / "report", data) == "OUT_UNWRITABLE"


def test_permission_is_asked_for(tmp_path, data, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    assert refused(tmp_path / "new", data) == "OUT_UNWRITABLE"


@pytest.mark.parametrize("name", ["metrics.json", "report.html"])
def test_either_file_of_a_report_is_kept(tmp_path, data, name):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / name).write_text("old")
    assert refused(folder, data) == "OUT_EXISTS"
    check_report_folder(folder, data, True)


def test_data_in_the_working_directory_leaves_room_for_reports(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_report_folder(Path("report"), Path("."), False)


def test_figures_come_last_and_nothing_else_stays(tmp_path, monkeypatch):
    folder = tmp_path / "a" / "b"
    write_report(folder, {"map": 1.0}, "<p>é</p>")
    assert (folder / "report.html").read_text("utf-8") == "<p>é</p>"
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.json", "report.html"]
    with pytest.raises(ValueError, match="JSON"):
        write_report(tmp_path / "c", {"map": float("nan")}, "page")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        write_report(tmp_path / "file", {}, "")
    assert caught.value.code == "OUT_UNWRITABLE"
