"""What differs from the run that is to go on is named, and stands in its way unless one insists."""

from pathlib import Path

import pytest

from googlenet_rcnn.backbone.resuming import Resume, differences, refuse_different
from googlenet_rcnn.core.errors import UsageError

THEN = {"seed": 3, "train": {"batch": 64, "rate": 0.1, "schedule": "steps"}, "start": "0" * 16, "classes": ["a", "b"]}


def test_the_flags_together() -> None:
    found = [Resume.asked(resume, force) for resume in (False, True) for force in (False, True)]
    assert found == [Resume.NO, Resume.FORCED, Resume.SAME, Resume.FORCED]
    assert [bool(one) for one in Resume] == [False, True, True]


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({}, {}),
        ({"seed": 4}, {"seed": "(3 then, 4 now)"}),
        ({"train": THEN["train"] | {"batch": 32}}, {"train.batch": "(64 then, 32 now)"}),
        ({"train": THEN["train"] | {"schedule": "cosine"}}, {"train.schedule": "(steps then, cosine now)"}),
        ({"start": "1" * 16}, {"start": ""}),  # a hash says nothing
        ({"classes": ["a", "b", "c"]}, {"classes": ""}),
        ({"new": 1}, {"new": ""}),
        ({"train": None}, {"train": ""}),
    ],
)
def test_differences_are_named_with_both_values_where_they_are_short(now, named) -> None:
    assert dict(differences(THEN, THEN | now)) == named


def test_all_that_differs_is_told_at_once_and_force_helps(tmp_path: Path) -> None:
    now = THEN | {"seed": 4, "start": "1" * 16}
    with pytest.raises(UsageError, match=r"other seed \(3 then, 4 now\), start: .*--force-resume") as caught:
        refuse_different(tmp_path, THEN, now, Resume.SAME)
    assert caught.value.code == "RESUME_DIFFERS"
    refuse_different(tmp_path, THEN, now, Resume.FORCED)
    refuse_different(tmp_path, THEN, THEN, Resume.SAME)


def test_weights_of_another_shape_cannot_be_forced(tmp_path: Path) -> None:
    then, now = {"parameters": [["a", [2, 3]]], "seed": 1}, {"parameters": [["a", [2, 4]]], "seed": 2}
    for resume in (Resume.SAME, Resume.FORCED):
        with pytest.raises(UsageError, match="parameters") as caught:
            refuse_different(tmp_path, then, now, resume)
        assert "--force" not in caught.value.message
