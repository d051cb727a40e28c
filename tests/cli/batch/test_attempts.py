import pytest

from googlenet_rcnn.cli.batch.attempts import Attempt
from googlenet_rcnn.core.errors import ResourceError


def dies(folder, at=None, run="run", part=4):
    """What a worker leaves that is killed while it is at an image, or at none."""
    attempt = Attempt(folder, part, run)
    if at is not None:
        attempt.touch(at)
    return attempt


def test_a_first_try_is_bold_and_a_finished_one_leaves_nothing(tmp_path):
    with Attempt(tmp_path, 4, "run") as attempt:
        assert (attempt.careful, attempt.deadly) == (False, [])
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_no_death(tmp_path):
    with pytest.raises(OSError, match="disk"), Attempt(tmp_path, 4, "run"):
        raise OSError("disk")
    assert not Attempt(tmp_path, 4, "run").careful


def test_after_a_death_the_next_one_is_blamed_on_the_image_in_hand(tmp_path):
    dies(tmp_path)
    second = dies(tmp_path, at=81)
    assert (second.careful, second.deadly) == (True, [])
    third = dies(tmp_path, at=95)
    assert (third.careful, third.deadly) == (True, [81])
    assert Attempt(tmp_path, 4, "run").deadly == [81, 95]


def test_an_image_that_was_left_alive_is_not_blamed(tmp_path):
    dies(tmp_path)
    second = dies(tmp_path, at=81)
    second.touch(None)  # all images done: it dies while the part is written
    assert Attempt(tmp_path, 4, "run").deadly == []


def test_parts_do_not_mix(tmp_path):
    dies(tmp_path, part=4)
    assert not Attempt(tmp_path, 5, "run").careful


def test_another_run_of_the_command_starts_innocent(tmp_path):
    """Whoever kills everything accuses no image, however often."""
    for run in ("one", "two", "three"):
        attempt = dies(tmp_path, at=7, run=run)
        assert (attempt.careful, attempt.deadly) == (False, [])


def test_a_part_over_which_workers_keep_dying_is_given_up(tmp_path):
    for _ in range(4):
        dies(tmp_path)
    with pytest.raises(ResourceError, match=r"WORKER_DIED.*4 times.*part 4.*--workers"):
        Attempt(tmp_path, 4, "run")


def test_blamed_images_do_not_count_towards_giving_up(tmp_path):
    dies(tmp_path)
    for at in range(10):
        dies(tmp_path, at=at)
    assert Attempt(tmp_path, 4, "run").deadly == list(range(10))


def test_a_torn_note_is_none(tmp_path):
    dies(tmp_path)
    (note,) = tmp_path.iterdir()
    for text in ("", "{", "[]", "{}", '{"run": "run"}'):
        note.write_text(text)
        assert not Attempt(tmp_path, 4, "run").careful
