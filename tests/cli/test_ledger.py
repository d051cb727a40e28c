import os

import pytest

from googlenet_rcnn.cli.ledger import Ledger, refuse_finished
from googlenet_rcnn.core.errors import UsageError

SETTINGS = {"files": [("a", "a.jpg")], "threshold": 0.5}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def code(*arguments):
    with pytest.raises(UsageError) as caught, Ledger(*arguments):
        pass
    return caught.value.code


def test_file_has_its_name_only_when_finished(tmp_path):
    path = tmp_path / "new" / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
        assert not path.exists()
        assert list(ledger.read()) == [{"n": 1}]
        ledger.finish()
    assert names(path.parent) == ["out.jsonl"]
    assert path.read_text() == '{"n":1}\n'


def test_stopped_run_is_continued_without_its_torn_tail(tmp_path):
    path = tmp_path / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
    with (tmp_path / "out.jsonl.part").open("a") as stream:
        stream.write('{"n":2,"torn')
    with Ledger(path, SETTINGS, False) as ledger:
        assert (ledger.continued, ledger.rows) == (True, 1)
        ledger.append({"n": 2})
        ledger.finish()
    assert path.read_text() == '{"n":1}\n{"n":2}\n'


def test_other_settings_are_refused_and_overwrite_starts_again(tmp_path):
    path = tmp_path / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
    assert code(path, SETTINGS | {"threshold": 0.6}, False) == "OUT_DIFFERS"
    with Ledger(path, SETTINGS | {"threshold": 0.6}, True) as ledger:
        assert (ledger.continued, ledger.rows) == (False, 0)


def test_part_of_unknown_settings_is_refused(tmp_path):
    (tmp_path / "out.jsonl.part").write_text('{"n":1}\n')
    assert code(tmp_path / "out.jsonl", SETTINGS, False) == "OUT_DIFFERS"
    (tmp_path / "out.jsonl.part.settings.json").write_text("[]")
    assert code(tmp_path / "out.jsonl", SETTINGS, False) == "OUT_DIFFERS"


def test_finished_file_is_kept_unless_overwritten(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old\n")
    assert code(path, SETTINGS, False) == "OUT_EXISTS"
    with Ledger(path, SETTINGS, True) as ledger:
        assert path.read_text() == "old\n"
        ledger.append({"n": 1})
        ledger.finish()
    assert path.read_text() == '{"n":1}\n'


def test_second_writer_is_refused_and_the_first_undisturbed(tmp_path):
    path = tmp_path / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
        assert code(path, SETTINGS, True) == "OUT_BUSY"
        ledger.append({"n": 2})
        ledger.finish()
    assert path.read_text() == '{"n":1}\n{"n":2}\n'


def test_refused_run_lets_go_of_its_lock(tmp_path):
    path = tmp_path / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
    with pytest.raises(UsageError) as kept:
        Ledger(path, {}, False)
    assert kept.value.code == "OUT_DIFFERS"
    with Ledger(path, SETTINGS, False) as ledger:
        assert ledger.rows == 1


def test_run_without_a_row_leaves_nothing(tmp_path):
    with Ledger(tmp_path / "out.jsonl", SETTINGS, False):
        pass
    assert names(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert code(tmp_path, SETTINGS, True) == "OUT_IS_FOLDER"
    assert code(tmp_path / "file" / "out.jsonl", SETTINGS, False) == "OUT_UNWRITABLE"


def test_rows_can_be_dropped_for_a_file_made_from_them(tmp_path):
    path = tmp_path / "out.npz"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
        path.write_text(str(list(ledger.read())))
        ledger.drop()
    assert names(tmp_path) == ["out.npz"]
    assert code(path, SETTINGS, False) == "OUT_EXISTS"


@pytest.mark.parametrize("newer", [True, False])
def test_what_a_kill_at_the_end_left_is_removed_but_not_the_rows_of_a_run_that_replaces(tmp_path, newer):
    path = tmp_path / "out.jsonl"
    with Ledger(path, SETTINGS, False) as ledger:
        ledger.append({"n": 1})
    path.write_text("finished\n")
    (tmp_path / "out.jsonl.lock").touch()
    part = tmp_path / "out.jsonl.part"
    moved = path.stat().st_mtime_ns + (10**9 if newer else -(10**9))
    os.utime(part, ns=(moved, moved))
    with pytest.raises(UsageError, match=r"OUT_EXISTS.*another --report"):
        refuse_finished(path, "--report")
    assert names(tmp_path) == ["out.jsonl", *(["out.jsonl.part", "out.jsonl.part.settings.json"] if newer else [])]
    assert path.read_text() == "finished\n"
    refuse_finished(tmp_path / "none")
