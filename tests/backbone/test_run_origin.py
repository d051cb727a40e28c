"""A run's origin is noted once, and a resumed run must agree with it."""

import json

import pytest

from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.run_origin import settle_origin
from googlenet_rcnn.core.errors import UsageError

ORIGIN = {"seed": 3, "views": {"crops": 6, "stretch": 4 / 3}, "trunk": "abc", "none": None}


def settle(out, now=ORIGIN, resume=False, rank=0) -> None:
    settle_origin(out, now, resume, Processes(rank, rank + 1))


def noted(out):
    return json.loads((out / "origin.json").read_text())


def test_a_new_run_notes_what_it_depends_on(tmp_path) -> None:
    settle(tmp_path / "deep" / "run")
    assert noted(tmp_path / "deep" / "run") == ORIGIN


def test_a_new_run_replaces_what_an_earlier_one_noted(tmp_path) -> None:
    settle(tmp_path, {"seed": 1})
    settle(tmp_path)
    assert noted(tmp_path) == ORIGIN


def test_a_resumed_run_of_the_same_origin_goes_on(tmp_path) -> None:
    settle(tmp_path)
    before = (tmp_path / "origin.json").read_bytes()
    settle(tmp_path, dict(ORIGIN), resume=True)
    settle(tmp_path, dict(reversed(ORIGIN.items())), resume=True)
    assert (tmp_path / "origin.json").read_bytes() == before


def test_resuming_where_nothing_began_begins(tmp_path) -> None:
    settle(tmp_path / "new", resume=True)
    assert noted(tmp_path / "new") == ORIGIN


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 4}, r"seed \(3 then, 4 now\)"),
        ({"trunk": "abd", "seed": 4}, r"seed \(3 .*\), trunk \(abc then, abd now\)"),
        ({"views": {"crops": 6, "stretch": 1.3}}, r"views\.stretch"),
        ({"new": 1}, "new"),
    ],
)
def test_a_resumed_run_of_another_origin_is_refused_and_changes_nothing(tmp_path, change, named) -> None:
    settle(tmp_path)
    with pytest.raises(UsageError, match=f"was begun with other {named}.*: use its") as caught:
        settle(tmp_path, ORIGIN | change, resume=True)
    assert caught.value.code == "RESUME_DIFFERS"
    assert str(tmp_path) in caught.value.message
    assert noted(tmp_path) == ORIGIN


def test_by_force_a_run_takes_another_origin(tmp_path) -> None:
    settle(tmp_path)
    settle(tmp_path, ORIGIN | {"seed": 4}, resume=Resume.FORCED)
    assert noted(tmp_path) == ORIGIN | {"seed": 4}
    settle(tmp_path, ORIGIN | {"seed": 4}, resume=Resume.SAME)


def test_only_the_first_process_writes_and_all_compare(tmp_path) -> None:
    settle(tmp_path, rank=1)
    assert list(tmp_path.iterdir()) == []
    settle(tmp_path)
    with pytest.raises(UsageError, match="seed"):
        settle(tmp_path, ORIGIN | {"seed": 4}, resume=True, rank=1)


@pytest.mark.parametrize("content", [b"", b'{"seed": 3', b"\xff\xfe"])
def test_an_origin_that_cannot_be_read_is_refused(tmp_path, content) -> None:
    (tmp_path / "origin.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"origin\.json cannot be read") as caught:
        settle(tmp_path, resume=True)
    assert caught.value.code == "RESUME_DIFFERS"
