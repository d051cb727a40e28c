"""The loop that commands over images share, around work that is made up."""

import json
from types import SimpleNamespace

import pytest

from googlenet_rcnn.cli.image_loop import ImageLoop, Made, check_options, image_workers
from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.cli.ledger import Ledger
from googlenet_rcnn.core.errors import DataError, Exit, UsageError
from googlenet_rcnn.core.store import read_json_lines

FILES = [ImageFile(name, f"in/{name}.png") for name in "abcde"]


def options(**changes):
    usual = {
        "draw": None, "overwrite": False, "truncated": "fail", "max_pixels": 100, "on_error": "skip", "quiet": True,
        "threads": 1, "workers": None,
    }  # fmt: skip
    return SimpleNamespace(**(usual | changes))


def row(file, status="ok"):
    found = {"image_id": file.image_id, "status": status}
    return found if status == "ok" else found | {"code": "IMG_EMPTY", "message": f"{file.path}: it is empty"}


class Work:
    """Makes a row and a picture of each file; some fail; stops like a user's Ctrl-C before file number `stop`."""

    def __init__(self, bad=(), stop=10**9, pictures=0):
        self.bad, self.stop, self.pictures = bad, stop, pictures
        self.begun, self.closed = [], False

    def __call__(self, files):
        try:
            for number, file in enumerate(files):
                if number == self.stop:
                    raise KeyboardInterrupt
                self.begun.append(file.image_id)
                if file.image_id in self.bad:
                    yield Made(row(file, "failed"))
                else:
                    yield Made(row(file), [f"{file.image_id}{n}".encode() for n in range(self.pictures)])
        finally:
            self.closed = True


@pytest.fixture
def loop(tmp_path):
    """A loop whose output is `out.jsonl`, with a picture or several for each file."""

    def build(each=0, **changes):
        paths = [[tmp_path / "drawn" / f"{file.image_id}{n}" for n in range(each)] for file in FILES]
        usual = {
            "files": FILES, "pictures": paths if each else [], "target": tmp_path / "out.jsonl",
            "settings": lambda: {"a": 1}, "table": lambda row: print("table", row["image_id"]),
            "finish": lambda ledger: ledger.finish(),
        }  # fmt: skip
        return ImageLoop(**(usual | changes))

    return build


def ids(path):
    return [one["image_id"] for one in read_json_lines(path)]


def test_each_file_gives_a_row_in_order(loop, tmp_path):
    assert loop().run(Work(), options()) == Exit.OK
    assert ids(tmp_path / "out.jsonl") == list("abcde")
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize(("bad", "status"), [("", Exit.OK), ("b", Exit.PARTIAL), ("bd", Exit.PARTIAL), ("abcde", 3)])
@pytest.mark.parametrize("target", [True, False])
def test_failures_are_told_and_decide_the_exit_status(loop, tmp_path, capsys, bad, status, target):
    changes = {} if target else {"target": None}
    assert loop(**changes).run(Work(bad), options()) == status
    output = capsys.readouterr()
    assert output.err.splitlines() == [f"error: IMG_EMPTY: in/{name}.png: it is empty" for name in bad]
    lines = (tmp_path / "out.jsonl").read_text() if target else output.out
    assert [json.loads(line)["status"] for line in lines.splitlines()].count("failed") == len(bad)


def test_rows_without_a_target_are_lines_on_a_pipe_and_tables_on_a_terminal(loop, capsys, monkeypatch):
    loop(target=None).run(Work("b"), options())
    assert [json.loads(line)["image_id"] for line in capsys.readouterr().out.splitlines()] == list("abcde")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    loop(target=None).run(Work("b"), options())
    assert capsys.readouterr().out.splitlines() == ["table a", "table c", "table d", "table e"]


def test_on_error_fail_stops_at_the_first_bad_file_keeps_the_rows_and_ends_the_work(loop, tmp_path):
    work = Work("ce")
    with pytest.raises(DataError, match=r"in/c\.png: it is empty \(stopped here") as caught:
        loop().run(work, options(on_error="fail"))
    assert (caught.value.code, work.begun, work.closed) == ("IMG_EMPTY", ["a", "b", "c"], True)
    assert ids(tmp_path / "out.jsonl.part") == ["a", "b"]


@pytest.mark.parametrize("stop", range(6))
def test_stopped_run_is_continued_with_what_is_left(loop, tmp_path, capsys, stop):
    work = Work("b", stop)
    if stop < len(FILES):
        with pytest.raises(KeyboardInterrupt):
            loop(2).run(work, options())
        assert work.closed
        left = Work("b", pictures=2)
        assert loop(2).run(left, options(quiet=False)) == Exit.PARTIAL
        assert left.begun == list("abcde")[stop:]
        assert ("continuing after" in capsys.readouterr().err) == (stop > 0)
    else:
        assert loop(2).run(work, options()) == Exit.PARTIAL
    assert ids(tmp_path / "out.jsonl") == list("abcde")


def test_full_part_that_was_never_finished_is_finished_without_work(loop, tmp_path):
    def interrupted(ledger):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop(finish=interrupted).run(Work(), options())
    work = Work()
    assert loop().run(work, options()) == Exit.OK
    assert (work.begun, ids(tmp_path / "out.jsonl")) == ([], list("abcde"))


def test_other_settings_are_refused_before_any_work(loop):
    with pytest.raises(KeyboardInterrupt):
        loop().run(Work(stop=1), options())
    work = Work()
    with pytest.raises(UsageError) as caught:
        loop(settings=lambda: {"a": 2}).run(work, options())
    assert (caught.value.code, work.begun) == ("OUT_DIFFERS", [])


def test_pictures_are_written_for_the_good_rows(loop, tmp_path):
    drawn = tmp_path / "drawn"
    assert loop(2, target=None).run(Work("b", pictures=2), options()) == Exit.PARTIAL
    assert sorted(path.name for path in drawn.iterdir()) == ["a0", "a1", "c0", "c1", "d0", "d1", "e0", "e1"]
    assert (drawn / "c1").read_bytes() == b"c1"


def test_run_killed_between_a_picture_and_its_row_is_continued_but_no_other_picture_is_replaced(
    loop, tmp_path, monkeypatch
):
    append = Ledger.append

    def killed(self, row):
        if row["image_id"] == "c":
            raise KeyboardInterrupt
        append(self, row)

    monkeypatch.setattr(Ledger, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        loop(1).run(Work(pictures=1), options())
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a0", "b0", "c0"]
    (tmp_path / "drawn" / "d0").write_bytes(b"mine")
    with pytest.raises(UsageError) as caught:
        loop(1).run(Work(pictures=1), options())
    assert caught.value.code == "OUT_EXISTS"
    (tmp_path / "drawn" / "d0").unlink()
    assert loop(1).run(Work(pictures=1), options()) == Exit.OK
    assert ids(tmp_path / "out.jsonl") == list("abcde")


def test_picture_of_a_file_named_twice_is_no_obstacle_to_going_on(loop, tmp_path):
    path = tmp_path / "drawn" / "twice"
    twice = {"files": [FILES[0]] * 4, "pictures": [[path]] * 4}
    with pytest.raises(KeyboardInterrupt):
        loop(**twice).run(Work(stop=2, pictures=1), options())
    assert path.exists()
    assert loop(**twice).run(Work(pictures=1), options()) == Exit.OK


def test_fault_of_the_reader_closes_the_work(loop, monkeypatch):
    def gone(*arguments, **options):
        raise BrokenPipeError

    work = Work()
    monkeypatch.setattr("builtins.print", gone)
    with pytest.raises(BrokenPipeError):
        loop(target=None).run(work, options())
    assert (work.begun, work.closed) == (["a"], True)


@pytest.mark.parametrize(
    "wrong", [{"truncated": "none"}, {"on_error": "none"}, {"threads": 0}, {"workers": 0}, {"max_pixels": 0}]
)
def test_impossible_flags_are_named(wrong):
    with pytest.raises(UsageError, match="--" + next(iter(wrong)).replace("_", "-")) as caught:
        check_options(options(**wrong))
    assert caught.value.code == "FLAG_VALUE"


def test_pictures_need_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="not a folder"):
        check_options(options(draw=tmp_path / "file"))
    check_options(options(draw=tmp_path))
    check_options(options(draw=tmp_path / "new"))


@pytest.mark.parametrize(("threads", "workers", "expected"), [(3, None, 3), (3, 2, 2), (None, 5, 5), (None, None, 7)])
def test_images_at_a_time_are_as_many_as_threads_unless_told(monkeypatch, threads, workers, expected):
    monkeypatch.setattr("googlenet_rcnn.cli.image_loop.available_threads", lambda: 7)
    assert image_workers(options(threads=threads, workers=workers)) == expected
