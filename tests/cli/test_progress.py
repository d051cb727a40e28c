import io

import pytest

from googlenet_rcnn.cli import progress
from googlenet_rcnn.cli.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])

    def tick(seconds):
        now[0] += seconds

    return tick


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (5399, "1 h 30 min"), (12_000, "3 h 20 min")],
)
def test_duration_reads_as_a_person_writes(seconds, text):
    assert duration(seconds) == text


def test_plain_lines_come_now_and_then_and_at_the_end(capsys, clock):
    shown = Progress(4, "image")
    for done in range(1, 5):
        clock(10)
        shown.update(done)
    assert capsys.readouterr().err.splitlines() == ["image 2/4, 20 s left", "image 4/4, in 40 s"]


def test_terminal_shows_one_line_that_is_replaced(monkeypatch, clock):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    shown = Progress(2, "image")
    for done in (1, 2):
        clock(1)
        shown.update(done, "note")
    assert stream.getvalue() == "\r\x1b[2Kimage 1/2, 1 s left, note\r\x1b[2Kimage 2/2, in 2 s, note\n"


def test_line_of_its_own_replaces_the_bar(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    Progress(2, "image").say("fault")
    assert stream.getvalue() == "\r\x1b[2Kfault\n"


def test_dumb_terminal_gets_plain_lines(monkeypatch, clock):
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "dumb")
    shown = Progress(2, "image")
    clock(20)
    shown.update(1)
    assert stream.getvalue() == "image 1/2, 20 s left\n"


@pytest.mark.parametrize(("total", "quiet"), [(9, True), (1, False), (0, False)])
def test_nothing_is_shown_when_quiet_or_short(capsys, clock, total, quiet):
    shown = Progress(total, "image", quiet)
    clock(100)
    shown.update(0)
    shown.update(total)
    assert capsys.readouterr().err == ""
